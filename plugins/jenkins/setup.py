from setuptools import find_packages, setup

setup(
    name="ci-results-jenkins",
    version="0.1.0",
    description="The ci_results collector for Jenkins masters.",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["ci_results_jenkins", "ci_results_jenkins.*"]),
    package_data={"ci_results_jenkins": ["py.typed"]},
    install_requires=["ci-results>=0.1", "orjson>=3.9", "python-jenkins>=1.8"],
    entry_points={"ci_results": ["jenkins = ci_results_jenkins"]},
)
