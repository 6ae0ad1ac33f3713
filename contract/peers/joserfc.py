"""joserfc as an implementation of the conformance protocol (docs/conformance.md).

It does what a careful user of joserfc does with its documented interface, and nothing that joserfc
does not offer: where the library has no such check, the answer shows it. Run: python joserfc.py
"""

import functools
import json
import os
import sys
import warnings

# This file has the library's name: its folder must not be searched for it.
FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path[:] = [folder for folder in sys.path if os.path.realpath(folder) != FOLDER]

warnings.simplefilter("ignore")  # that `EdDSA` has a newer name is no answer

from joserfc import errors, jwk, jws, jwt  # noqa: E402

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"]

# What a preset of the contract stands for.
PRESETS = {
    "keycloak": [{"claim": "/typ", "equals": "Bearer"}],
    "authentik": [{"claim": "/scope", "present": True}],
}


@functools.lru_cache(maxsize=256)
def import_key(text):
    return jwk.import_key(json.loads(text))


def key_set(keys):
    """joserfc's key set; keys that it cannot import are passed over, as in any JWK set."""
    usable = []
    for key in keys:
        try:
            usable.append(import_key(json.dumps(key)))
        except Exception:
            continue
    if len(usable) == 1 and not usable[0].kid:
        return usable[0]
    return jwk.KeySet(usable)


def check_jws(request):
    keys = request["keys"].get("keys", [request["keys"]])
    jws.deserialize_compact(request["token"].encode(), key_set(keys), ALGORITHMS)


def validate(request):
    token, contract = request["token"].encode(), request["trust"]["contract"]
    stated = json.loads(jws.extract_compact(token).payload).get("iss")
    issuer = next((i for i in contract["issuers"] if i["issuer"] == stated), None)
    if issuer is None:
        raise errors.InvalidClaimError("iss")
    app, audience = find_app(contract, request.get("audience"))
    if stated not in app.get("issuers", [stated]):
        raise errors.InvalidClaimError("iss")
    sets = [s for s in request["trust"]["key_sets"] if s["issuer"] == stated]
    if not sets:
        raise errors.MissingKeyError("no key set of this issuer")
    if "fetched_at" in sets[0]:
        return "joserfc's KeySet has no age"
    decoded = jwt.decode(token, key_set(sets[0]["keys"]["keys"]), issuer["algorithms"])
    claims = {
        "iss": {"essential": True, "value": stated},
        "aud": {"essential": True, "value": audience},
        "sub": {"essential": True},
        "exp": {"essential": True},
    }
    # Of the claim tests, joserfc offers presence and values of a top-level claim.
    for test in PRESETS.get(issuer.get("preset"), []) + issuer.get("claim_tests", []):
        name = test["claim"][1:]
        if test.get("present") is False or "/" in name:
            continue
        values = test.get("one_of") or ([test["equals"]] if "equals" in test else [])
        claims[name] = {"essential": True, "allow_blank": not values}
        if values:
            claims[name]["values"] = values
    leeway = contract.get("skew_seconds", 60)
    jwt.JWTClaimsRegistry(now=request["now"], leeway=leeway, **claims).validate(decoded.claims)
    return None


def find_app(contract, audience):
    audiences = [
        (app, place["audience"]) for app in contract["apps"] for place in [app] + app.get("routes", [])
    ]
    for app, listed in audiences:
        if listed == audience or (audience is None and len(audiences) == 1):
            return app, listed
    raise errors.InvalidClaimError("aud", "the contract lists no such audience")


def answer(line):
    request = json.loads(line)
    known = {"id": request["id"]}
    try:
        if request["op"] == "jws":
            check_jws(request)
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
