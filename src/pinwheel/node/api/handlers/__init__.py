# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is done for each endpoint. A module is imported when the first request asks for something in it."""
