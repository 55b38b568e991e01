# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The table says of every consumer what is true of its module."""

from pathlib import PurePosixPath

import pytest

from pinwheel.node.services.service import Lazy, has_work, rendered, value_at
from pinwheel.node.services.table import SERVICES
from pinwheel.settings.tree import Settings

each = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)


@each
def test_functions_exist(service):
    functions = [value for value in service if isinstance(value, Lazy)]
    assert functions
    assert all(callable(function.load()) for function in functions)


@each
def test_settings_exist_in_the_model(service):
    for prefix in service.settings:
        value_at(Settings(), prefix)


@each
def test_generated_files_are_below_run(service):
    assert all(PurePosixPath(name).is_relative_to("/run") for name in service.owned)
    assert set(service.secret) <= set(service.owned)


@each
def test_defaults_mean_no_files_where_the_table_says_so(service):
    if service.render and not service.by_default:
        assert not service.render(Settings())
    assert bool(rendered(service, Settings())) <= has_work(service, Settings())


def test_names_and_files_are_each_consumers_own():
    names = [service.name for service in SERVICES]
    files = [name for service in SERVICES for name in service.owned]
    assert len(set(names)) == len(names)
    assert len(set(files)) == len(files)
