"""Great Expectations and papermill come without what nobody asks of them, and nothing is missed that somebody does."""

import subprocess
import sys


def told(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_what_is_imported_brings_along_nothing_that_is_not_used():
    heavy = "('altair.', 'boto3', 'botocore', 'pyspark', 'awswrangler', 'scipy.stats.')"
    code = "from stedi.audit import lean; lean.imported('great_expectations'); lean.imported('papermill'); import sys; "
    assert told(f"{code} print([name for name in sys.modules if name.startswith({heavy})])") == "[]"


def test_what_was_put_off_is_there_when_it_is_used_and_what_was_hidden_when_it_is_imported():
    code = """
from stedi.audit import lean
gx = lean.imported("great_expectations")
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as needs_both
print(needs_both.stats.norm.cdf(0), needs_both.alt.Chart.__name__)
import scipy.stats, altair, boto3
print(scipy.stats.norm.cdf(0), altair.Chart.__name__, boto3.__name__)
"""
    assert told(code) == "0.5 Chart\n0.5 Chart boto3"


def test_garbage_is_collected_again_afterwards():
    assert told("import gc; from stedi.audit import lean; lean.imported('papermill'); print(gc.isenabled())") == "True"
    code = "import gc; gc.disable(); from stedi.audit import lean; lean.imported('papermill'); print(gc.isenabled())"
    assert told(code) == "False", "whoever had switched it off keeps it so"
