# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Amazon's cloud: the files and variables of its SDKs, which the engine's log driver `awslogs` reads."""

import base64

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import AWS_CONFIG, AWS_CREDENTIALS, AWS_ENV
from pinwheel.node.serialize import environment_file
from pinwheel.node.services.service import Files
from pinwheel.settings.aws import Aws
from pinwheel.settings.secret import Secret
from pinwheel.settings.tree import Settings

SECRET_MODE = 0o600


def render(settings: Settings) -> Files:
    """Give the files as they are, and the variables that lead to them."""
    aws = settings.aws
    given = {AWS_CONFIG: aws.config, AWS_CREDENTIALS: aws.credentials}
    files = {path: RenderedFile(_decoded(value), SECRET_MODE) for path, value in given.items() if value is not None}
    if files or aws.region or aws.profile != Aws().profile:
        files[AWS_ENV] = RenderedFile(environment_file(_variables(aws, files)))
    return files


def _variables(aws: Aws, files: Files) -> dict[str, str]:
    places = {"AWS_CONFIG_FILE": AWS_CONFIG, "AWS_SHARED_CREDENTIALS_FILE": AWS_CREDENTIALS}
    variables = {name: path for name, path in places.items() if path in files}
    if aws.region:
        variables["AWS_REGION"] = aws.region
    return {**variables, "AWS_PROFILE": aws.profile}


def _decoded(value: Secret) -> bytes:
    return base64.b64decode("".join(value.get_secret_value().split()))
