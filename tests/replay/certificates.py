"""A private certificate authority, made anew for each server."""

import ssl
from pathlib import Path

import trustme

# Every host a source answers on. A wildcard covers one label: query1.finance.yahoo.com needs its own.
HOSTS = (
    "yahoo.com",
    "*.yahoo.com",
    "*.finance.yahoo.com",
    "fchart.stock.naver.com",
    "data.krx.co.kr",
    "raw.githubusercontent.com",
    "api.stlouisfed.org",
    "fred.stlouisfed.org",
)


def is_known(host: str) -> bool:
    """Whether the authority's one certificate is valid for ``host``."""
    return host in HOSTS or f"*.{host.partition('.')[2]}" in HOSTS


def create(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server-side TLS context for every known host, and the CA file (PEM, in ``folder``) that clients must trust.

    No ALPN is offered: curl_cffi then speaks HTTP/1.1, which is all the server speaks.
    """
    authority = trustme.CA(organization_name="replay", organization_unit_name="tests only")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return context, ca_file
