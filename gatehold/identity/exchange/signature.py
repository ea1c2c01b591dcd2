"""The signature of an assertion: what the configured certificates signed, and nothing else, goes on from here.

Pure. Signature wrapping shows a reader another element than the one that was signed (Somorovsky et al., 2012). So only
one form is accepted, that of SAML 2.0 Core, section 5.4: the assertion is the whole document; it holds one signature,
right behind its issuer; that signature has one reference, to the assertion itself, through the two transforms that
SAML knows. The shape is checked here, the arithmetic is done by signxml, and what it says was signed has to be the
assertion once more. ``KeyInfo`` is taken out before anybody looks at it: keys come from the configuration alone.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from gatehold.identity.exchange.markup import parser
from gatehold.identity.exchange.wrong import Wrong, wrong

SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
ASSERTION: Final = f"{SAML}Assertion"

METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
LEAST_RSA_BITS: Final = 2048
MOST_RSA_BITS: Final = 8192
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")

_EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value
_TRANSFORMS: Final = ["http://www.w3.org/2000/09/xmldsig#enveloped-signature", _EXCLUSIVE]
_LOCATION: Final = "./"

# It writes down, where it is asked to debug, what it verifies.
logging.getLogger("signxml").setLevel(logging.WARNING)


def certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises ``ValueError`` where there are none, or one whose key is not accepted."""
    found = tuple(x509.load_pem_x509_certificates(pem))
    for each in found:
        try:
            key = each.public_key()
        except UnsupportedAlgorithm:
            raise ValueError("a key of an unknown kind") from None
        good_rsa = isinstance(key, rsa.RSAPublicKey) and LEAST_RSA_BITS <= key.key_size <= MOST_RSA_BITS
        if not good_rsa and not (isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES):
            raise ValueError(f"its keys are RSA of {LEAST_RSA_BITS} bits at least, P-256, P-384 or P-521")
    return found


def claimed_issuer(root: etree._Element) -> str:
    """Who an assertion says that it is from, which nobody has verified. Raises Refusal."""
    if root.tag != ASSERTION:
        raise wrong(Wrong.SHAPE)
    first = root[0] if len(root) else None
    if first is None or first.tag != f"{SAML}Issuer" or len(first) or not first.text:
        raise wrong(Wrong.SHAPE)
    return first.text


def verified(root: etree._Element, trusted: Sequence[x509.Certificate], *, now: float) -> etree._Element:
    """The assertion as it was signed by one of ``trusted``, parsed anew from the bytes that were signed.

    Takes ``KeyInfo`` out of ``root``. Raises Refusal.
    """
    assertion_id = _id(root)
    _check_shape(root, assertion_id)
    moment = datetime.fromtimestamp(now, UTC)
    config = SignatureConfiguration(
        require_x509=True,
        location=_LOCATION,
        expect_references=1,
        signature_methods=METHODS,
        digest_algorithms=DIGESTS,
        ignore_ambiguous_key_info=True,
        verification_time=moment,
    )
    for certificate in trusted:
        signed = _signed(root, certificate, config)
        if signed is not None:
            break
    else:
        raise wrong(Wrong.BAD_SIGNATURE)
    if signed.tag != ASSERTION or _id(signed) != assertion_id or signed.find(f".//{DS}Signature") is not None:
        raise wrong(Wrong.BAD_SIGNATURE)
    return signed


def _signed(root: etree._Element, trusted: x509.Certificate, config: SignatureConfiguration) -> etree._Element | None:
    try:
        result = XMLVerifier().verify(root, x509_cert=trusted, parser=parser(), id_attribute="ID", expect_config=config)
    except (SignXMLException, etree.LxmlError, ValueError):
        return None
    if isinstance(result, list):
        return None
    return result.signed_xml


def _id(root: etree._Element) -> str:
    value = root.get("ID")
    if root.tag != ASSERTION or not value or not value.replace("-", "_").replace(".", "_").isidentifier():
        raise wrong(Wrong.SHAPE)
    if not value.isascii() or len(value) > 256:
        raise wrong(Wrong.SHAPE)
    return value


def _check_shape(root: etree._Element, assertion_id: str) -> None:
    signatures = list(root.iter(f"{DS}Signature"))
    if len(root) < 2 or root[1].tag != f"{DS}Signature" or len(signatures) != 1:
        raise wrong(Wrong.UNSIGNED)
    signature = signatures[0]
    for key_info in signature.findall(f"{DS}KeyInfo"):
        signature.remove(key_info)
    if _tags(signature) != ["SignedInfo", "SignatureValue"]:
        raise wrong(Wrong.UNSIGNED)
    info = signature[0]
    if _tags(info) != ["CanonicalizationMethod", "SignatureMethod", "Reference"]:
        raise wrong(Wrong.UNSIGNED)
    method, algorithm, reference = info
    if _tags(reference) != ["Transforms", "DigestMethod", "DigestValue"] or reference.get("URI") != f"#{assertion_id}":
        raise wrong(Wrong.UNSIGNED)
    if [each.get("Algorithm") for each in reference[0]] != _TRANSFORMS or method.get("Algorithm") != _EXCLUSIVE:
        raise wrong(Wrong.UNSIGNED)
    known = {each.value for each in METHODS}, {each.value for each in DIGESTS}
    if algorithm.get("Algorithm") not in known[0] or reference[1].get("Algorithm") not in known[1]:
        raise wrong(Wrong.ALGORITHM)
    values = (signature[1], reference[2])
    if any(len(each) for each in (algorithm, reference[1], *values)) or not all(each.text for each in values):
        raise wrong(Wrong.UNSIGNED)


def _tags(element: etree._Element) -> list[str]:
    """Local names of the children that XML Signature knows; anything else as it is."""
    return [str(child.tag).removeprefix(DS) for child in element]
