"""By what a customer is named in a path: the onboarding id, or one of their references."""

from typing import Annotated

from fastapi import Path

Reference = Annotated[
    str,
    Path(
        max_length=80,
        description="the onboarding id, or a reference of the customer (S-…, O-…, K-…, A-…)",
    ),
]
