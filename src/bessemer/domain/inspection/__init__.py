"""Inspection rules: what operators want done to a node in the light of what inspection found. Pure.

``rule`` is the record and its form, ``evaluation`` applies rules to what is known and says what is to change.
Source: v1 contract, ``inspection_rule``; where it is silent, OpenStack's documentation of inspection rules.
"""
