from setuptools import find_packages, setup

setup(
    name="ci-results-errata-checks",
    version="0.1.0",
    description="The ci_results collectors for reports of rpmgrill, covscan, rpmdiff, rpminspect and TPS.",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["ci_results_errata_checks", "ci_results_errata_checks.*"]),
    package_data={"ci_results_errata_checks": ["py.typed"]},
    install_requires=["ci-results>=0.1", "ijson>=3.3", "requests>=2.31"],
    entry_points={"ci_results": ["errata_checks = ci_results_errata_checks"]},
)
