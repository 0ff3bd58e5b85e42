from setuptools import find_packages, setup

setup(
    name="ci-results-autocloud",
    version="0.1.0",
    description="The ci_results collector and bus messages for Autocloud, tester of cloud images.",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["ci_results_autocloud", "ci_results_autocloud.*"]),
    package_data={"ci_results_autocloud": ["py.typed"]},
    install_requires=["ci-results>=0.1", "orjson>=3.9"],
    entry_points={"ci_results": ["autocloud = ci_results_autocloud"]},
)
