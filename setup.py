from setuptools import find_packages, setup

setup(
    name="ci-results",
    version="0.1.0",
    description="One place for what is known about a build: CI results, waivers and gating decisions.",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["ci_results", "ci_results.*"]),
    include_package_data=True,
    package_data={
        "ci_results": ["py.typed"],
        "ci_results.store": ["*.sql", "migrations/*.sql"],
        "ci_results.serve": ["templates/**/*", "static/**/*", "browse/*.yml", "browse/plugin/**/*"],
        "ci_results.templates": ["**/*"],
    },
    install_requires=[
        "cattrs>=24.1",
        "click>=8.1",
        "datasette>=0.65.1,<1",
        "filelock>=3.12",
        "junitparser>=3.1",
        "orjson>=3.9",
        "pluggy>=1.5",
        "requests>=2.31",
        "rich>=13.7",
        "setuptools<81",  # datasette 0.65 imports pkg_resources
        "sqlite-utils>=3.36",
        "starlette>=0.37",
        "uvicorn[standard]>=0.29",
    ],
    extras_require={
        "all": [],
        "test": [
            "hypothesis>=6.100",
            "psutil>=5.9",
            "pytest>=8.2",
            "pytest-randomly>=3.15",
            "pytest-socket>=0.7",
            "pytest-timeout>=2.3",
            "selenium>=4.20",
            "wheel>=0.43",  # plugin check --release, where setuptools is older than 70.1
        ],
    },
    entry_points={
        "console_scripts": ["ci-results = ci_results.cli.main:main"],
        "datasette": ["ci_results = ci_results.serve.browse.plugin"],
        "pytest11": ["ci_results = ci_results.testing.pytest_plugin"],
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Topic :: Software Development :: Quality Assurance",
        "Typing :: Typed",
    ],
)
