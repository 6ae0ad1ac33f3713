//! Known answers: a signature of each algorithm that has to verify, over the text `sample`.
//!
//! RSA: the key of RFC 7515 appendix A.2, whose private half is printed there; PKCS #1 v1.5 is
//! deterministic. ECDSA: RFC 6979 appendices A.2.5 and A.2.6, deterministic too. Anybody can make them
//! again.

use mandate_authn::{Algorithm, PublicKey, base64url};

/// The text that was signed.
pub(super) const TEXT: &[u8] = b"sample";

/// A key and its signature of [`TEXT`]; `None` for an algorithm that is not asked of the host.
pub(super) fn of(algorithm: Algorithm) -> Option<(PublicKey, Vec<u8>)> {
    let (key, signature) = match algorithm {
        Algorithm::Es256 => (PublicKey::P256(point(P256_X, P256_Y)?), P256_SHA256),
        Algorithm::Es384 => (PublicKey::P384(point(P384_X, P384_Y)?), P384_SHA384),
        Algorithm::Rs256 => (rsa()?, RSA_SHA256),
        Algorithm::Rs384 => (rsa()?, RSA_SHA384),
        Algorithm::Rs512 => (rsa()?, RSA_SHA512),
        Algorithm::EdDsa | Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => return None,
    };
    Some((key, decode(signature)?))
}

fn rsa() -> Option<PublicKey> {
    Some(PublicKey::Rsa { modulus: decode(RSA_MODULUS)?, exponent: vec![1, 0, 1] })
}

fn point(x: &str, y: &str) -> Option<Vec<u8>> {
    Some([&[4][..], &decode(x)?, &decode(y)?].concat())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    base64url::decode(text.as_bytes())
}

const P256_X: &str = "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y";
const P256_Y: &str = "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk";
const P256_SHA256: &str =
    "79SLKqy2qP0RQN2c1F6B1p0sh3tWqvmRw00OqE6vNxb3yxyULWV8QdQ2x6G24p9l8-kA27mv9AZNxKsvhDrNqA";
const P384_X: &str = "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT";
const P384_Y: &str = "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg";
const P384_SHA384: &str = "lO27kqXsuKrUc25WxpGRaz-IFAZmzp-nPWTE6pWtEzyBpkgVLkSs-W423R6A-r5Gme9K6xXxeM6h_kDbJgMTjxMO\
    dAoZYkUmIDtjUdCjqU-jKcFFeG5nnnuCxxo4YorI";
const RSA_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt\
    0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX\
    ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5\
    IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RSA_SHA256: &str = "lb5Mod956JBEGTTsTAVMp4DoIujUQq_2V5zyV42GX-QFd8noYtWIy_6QDvKzqfoGub_u4mmNGKXgazp6r1kV4Idv\
    OCGmHFVIWPmSZigHS98mUIwt48mz91EE6Xo_geX-mnhWbhRUzARIQKOI6u9ZZTUqjUaap_zGJP4iAFFK5-rAMEf6\
    fKUiCzDcQstbkot7dPDXQJ4hQcEK9_SfJx9ijENVdoph5eFOLIIl9-lm-I3YuL_-b6DpYC9N_bYxzGrGuCkLSiZu\
    sSmyVTFlHQrlJxJkHIuiqJoQDxqvmlTD-gBIZbfCh163qUQd1RnHoYR-B1NpGlpxKeqbp42FCHUmGA";
const RSA_SHA384: &str = "ARcPLlYIV_BLwZVO3SO1dFjV3BeBcCiH2BgrfRZlJJAMp_9kfoQa8yXv2WqF7xBo-dt2OcmwP8lhtsmcdA4Zq6jC\
    3Ckw6QGz2CBek8Rc95Kui3FWZlQcuVReS7MyyESHRvdLkWYlxtnhwPtYK6hbQ4TaCrea8SKJabcAhhD4c2teRInZ\
    pJTf1lFAUST5t_5wl_rP1IBewHK8CrV8mspnQcXTvjOptasJD7gwkcM2PLRYeJXD26ijeqB3VjIU_eHJTPObRx-d\
    AzDtFNnsXU68UoQcOxjCy8rj5HsN7z3akQMY410XvblyPxWuVGoa8fpGyWxxCX9iwYX5ObpGoaAnyw";
const RSA_SHA512: &str = "SvlqLVB5o7Pq_JAQYofvLZCFHM4zwjbzXAQA1T5TXdfhA2viXT0ezE_ZAgHSa2ZNdVMHd1kgOlh7mnUXpP0Oh3KE\
    xJNRpzCEVmfHAUAuiTWRAzKMi5V6vOVlHIJ4tybiTdhsJOpCg3Kxpd0iKWGCNzejX4mZiVBxui06KIArKUvGzuAL\
    3iW7p_spL_rB3t1_m-8JOZJ6H6sNmsqsNUN6f1saAlMGyGzmsZrKBThIpSpbcMgrD5hRdUR8X9WDifCk2vsHl88t\
    SLIejnFTrvj0QUl2b5nC2Zxl-2bdXeIobVTA1alZq8A0M9O7GycJIwlRvFdvcGax4rDZgNG58FDQow";
