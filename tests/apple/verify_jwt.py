"""Verifies client secrets and tokens of App Store Connect with PyJWT, as strictly as it can.

Input (stdin): {"tokens": [JWT, ...], "public_key": PEM, "audience": str, "issuer": str or null, "require": [claim, ...]}.
Output: a JSON list of {"header": {...}, "claims": {...}}; an exception for the first token that does not verify.
"""

import json
import sys

import jwt

given = json.load(sys.stdin)
verified = [
    {
        "header": jwt.get_unverified_header(token),
        "claims": jwt.decode(
            token,
            given["public_key"],
            algorithms=["ES256"],
            audience=given["audience"],
            issuer=given["issuer"],
            options={"require": given["require"]},
        ),
    }
    for token in given["tokens"]
]
json.dump(verified, sys.stdout)
