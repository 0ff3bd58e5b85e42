"""Addresses on a master, built from our own base: those in its answers may name another host."""

from __future__ import annotations

from urllib.parse import quote, unquote


def job_url(base: str, full_name: str) -> str:
    """Return the address of a job: segments of the full name, each quoted.

    >>> job_url("http://ci", "kernel-mb/feature%2Fx")
    'http://ci/job/kernel-mb/job/feature%252Fx/'
    """
    segments = "".join(f"/job/{quote(segment, safe='')}" for segment in full_name.split("/") if segment)
    return f"{base.rstrip('/')}{segments}/"


def build_url(base: str, full_name: str, number: int) -> str:
    """Return the address of a build, e.g. "http://ci/job/bash/12/"."""
    return f"{job_url(base, full_name)}{number}/"


def artifact_url(base: str, full_name: str, number: int, path: str) -> str:
    """Return the address of an artifact by its relative path."""
    parts = "/".join(quote(part, safe="") for part in path.split("/"))
    return f"{build_url(base, full_name, number)}artifact/{parts}"


def configuration(url: str) -> str:
    """Return the configuration of a matrix run from its address, "" where it has none.

    >>> configuration("http://ci/job/m/ARCH=x86_64,VARIANT=Work%20station/6/")
    'ARCH=x86_64,VARIANT=Work station'
    """
    segments = [unquote(segment) for segment in url.rstrip("/").split("/")]
    return segments[-2] if len(segments) > 1 and "=" in segments[-2] else ""
