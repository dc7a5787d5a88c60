"""The measures of the code."""

from tools.shape import deepest_chain


def test_no_chain_of_imports_leads_back_to_where_it_began():
    chain = deepest_chain()  # which has no end otherwise
    assert len(chain) == len({*chain}) > 1
