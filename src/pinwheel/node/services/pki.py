# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Authorities that the node trusts besides those of its image.

The image's bundle stays what it is, verified; what is trusted besides is a directory of its own. The engine, as all
programs in Go, reads every file of the directories in $SSL_CERT_DIR (crypto/x509, root_unix.go) beside the bundle;
node code uses `pinwheel.node.trust`.
"""

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import TRUST_ENV, TRUSTED
from pinwheel.node.serialize import environment_file
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings
from pinwheel.settings.types import pem_text

SYSTEM_DIRECTORY = "/etc/ssl/certs"


def render(settings: Settings) -> Files:
    """Give a file for each bundle that is trusted, and the variable by which the engine finds them."""
    files = {
        f"{TRUSTED}{name}.pem": RenderedFile(pem_text(bundle.data))
        for name, bundle in settings.pki.items()
        if bundle.trusted and bundle.data
    }
    if files:
        variables = {"SSL_CERT_DIR": f"{SYSTEM_DIRECTORY}:{TRUSTED.rstrip('/')}"}
        files[TRUST_ENV] = RenderedFile(environment_file(variables))
    return files
