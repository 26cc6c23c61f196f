"""Engines that share the code of MIB modules, and nothing else."""

from __future__ import annotations

import pytest
from pysnmp.smi.error import MibNotFoundError

from collectors import pysnmp_engine
from collectors.pysnmp_engine import new_engine


def test_engines_share_no_object_that_can_change():
    name = ("__SNMP-FRAMEWORK-MIB", "snmpEngineBoots")
    first, second = new_engine(), new_engine()
    (boots,) = first.get_mib_builder().import_symbols(*name)
    before = int(boots.syntax)
    boots.syntax += 7
    (others,) = second.get_mib_builder().import_symbols(*name)
    assert int(boots.syntax) == before + 7
    assert int(others.syntax) == before


def test_a_second_engine_compiles_nothing():
    new_engine()
    before = pysnmp_engine._code.cache_info().misses
    new_engine()
    assert pysnmp_engine._code.cache_info().misses == before


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(MibNotFoundError, match="NO-SUCH-MIB"):
        new_engine().get_mib_builder().load_modules("NO-SUCH-MIB")
