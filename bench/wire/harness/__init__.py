# SPDX-License-Identifier: Apache-2.0
"""The runner's parts: which servers and workloads there are, one sample, the report."""
