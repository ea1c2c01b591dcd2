"""The table of types."""

from gatehold.demo.kubernetes.resources import RESOURCES
from gatehold.demo.kubernetes.schemas import field_of, struct_type, types


def test_every_type_that_is_named_exists() -> None:
    """No field and no resource refers to a type that the table lacks; numbers are unique within a type."""
    for struct in types().values():
        assert all(field.kind in types() for field in struct.fields if field.is_struct), struct.name
        assert len(struct.by_number) == len(struct.fields), struct.name
    assert all(resource.type in types() for resource in RESOURCES)


def test_inlined_fields_belong_to_the_parent() -> None:
    """A volume's sources are fields of the volume in JSON."""
    assert struct_type("core.v1.Volume").by_name["secret"].kind == "core.v1.SecretVolumeSource"
    assert "." not in struct_type("core.v1.EphemeralContainer").by_name


def test_keys_tell_how_lists_merge() -> None:
    """Containers merge by name, ports by two keys, finalizers are a set, tolerations are atomic."""

    def keys(kind: str, name: str) -> tuple[str, ...]:
        field = field_of(kind, name)
        assert field is not None
        return field.keys

    assert keys("core.v1.PodSpec", "containers") == ("name",)
    assert keys("core.v1.ServiceSpec", "ports") == ("port", "protocol")
    assert keys("meta.v1.ObjectMeta", "finalizers") == ("*",)
    assert keys("core.v1.PodSpec", "tolerations") == ()
    assert field_of(None, "x") is None
    assert field_of("core.v1.Nothing", "x") is None
