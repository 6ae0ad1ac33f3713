"""PyJWT as an implementation of the conformance protocol (docs/conformance.md).

It does what a careful user of PyJWT does with its documented interface, and nothing that PyJWT does
not offer: where the library has no such check, the answer shows it. Run: python pyjwt.py
"""

import datetime
import functools
import json
import sys

import jwt
import jwt.api_jwt

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]

# What a preset of the contract stands for.
PRESETS = {
    "keycloak": [{"claim": "/typ", "equals": "Bearer"}],
    "authentik": [{"claim": "/scope", "present": True}],
}


class Clock(datetime.datetime):
    """PyJWT reads the system's clock; a fixture states the moment."""

    moment = 0

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(cls.moment, tz)


jwt.api_jwt.datetime = Clock


@functools.lru_cache(maxsize=256)
def import_key(text, algorithm):
    return jwt.PyJWK(json.loads(text), algorithm)


def choose_key(keys, header):
    """The key that the header names; without a name, the only one of its algorithm."""
    algorithm = header.get("alg")
    usable = []
    for jwk in keys:
        if isinstance(jwk, dict) and jwk.get("use", "sig") == "sig":
            try:
                usable.append(import_key(json.dumps(jwk), jwk.get("alg", algorithm)))
            except jwt.PyJWTError:
                continue  # as PyJWKSet does: a key that cannot be used is passed over
    if "kid" in header:
        usable = [key for key in usable if key.key_id == header["kid"]]
    fitting = [key for key in usable if key.algorithm_name == algorithm]
    if len(fitting) != 1:
        raise jwt.PyJWKClientError("not exactly one key fits")
    return fitting[0]


def jws(request):
    keys = request["keys"].get("keys", [request["keys"]])
    key = choose_key(keys, jwt.get_unverified_header(request["token"]))
    jwt.PyJWS().decode_complete(request["token"], key, ALGORITHMS)


def validate(request):
    token, contract = request["token"], request["trust"]["contract"]
    stated = jwt.decode(token, options={"verify_signature": False}).get("iss")
    issuer = next((i for i in contract["issuers"] if i["issuer"] == stated), None)
    if issuer is None:
        raise jwt.InvalidIssuerError(stated)
    app, audience = find_app(contract, request.get("audience"))
    if stated not in app.get("issuers", [stated]):
        raise jwt.InvalidIssuerError(stated)
    sets = [s for s in request["trust"]["key_sets"] if s["issuer"] == stated]
    if not sets:
        raise jwt.PyJWKSetError("no key set of this issuer")
    if "fetched_at" in sets[0]:
        return "PyJWT's PyJWK takes keys without an age"
    key = choose_key(sets[0]["keys"]["keys"], jwt.get_unverified_header(token))
    # Of the claim tests, PyJWT offers presence of a top-level claim.
    tests = PRESETS.get(issuer.get("preset"), []) + issuer.get("claim_tests", [])
    present = [test["claim"][1:] for test in tests if test.get("present") is not False]
    Clock.moment = request["now"]
    jwt.decode(
        token,
        key,
        algorithms=issuer["algorithms"],
        audience=audience,
        issuer=stated,
        leeway=contract.get("skew_seconds", 60),
        options={
            "require": ["iss", "aud", "exp", "sub"] + [name for name in present if "/" not in name],
            "enforce_minimum_key_length": True,
        },
    )
    return None


def find_app(contract, audience):
    audiences = [
        (app, place["audience"]) for app in contract["apps"] for place in [app] + app.get("routes", [])
    ]
    for app, listed in audiences:
        if listed == audience or (audience is None and len(audiences) == 1):
            return app, listed
    raise jwt.InvalidAudienceError("the contract lists no such audience")


def answer(line):
    request = json.loads(line)
    known = {"id": request["id"]}
    try:
        if request["op"] == "jws":
            jws(request)
            return {**known, "valid": True, "reason": "ok"}
        skip = validate(request)
        if skip is not None:
            return {**known, "skip": skip}
        return {**known, "verdict": "allow", "reason": "ok", "detail": ""}
    except Exception as error:  # whatever it raises, the caller has no claims
        name = type(error).__name__
        if request["op"] == "jws":
            return {**known, "valid": False, "reason": name}
        return {**known, "verdict": "deny", "reason": name, "detail": ascii(str(error))[:200]}


def main():
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(line)) + "\n")
        sys.stdout.flush()


main()
