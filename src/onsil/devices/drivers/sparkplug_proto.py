"""The Sparkplug B payload (Eclipse Sparkplug 3.0 §6.4) as protobuf classes, made at import.

The message descriptor is put together here, so that no generated file and no compiler is needed.
Fields of kinds that hold no reading (data sets, templates) are left out: protobuf keeps what it
does not know and passes it over.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "onsil.sparkplug_b"
_F = descriptor_pb2.FieldDescriptorProto
_KINDS = {
    "u32": _F.TYPE_UINT32, "u64": _F.TYPE_UINT64, "float": _F.TYPE_FLOAT, "double": _F.TYPE_DOUBLE,
    "bool": _F.TYPE_BOOL, "string": _F.TYPE_STRING, "bytes": _F.TYPE_BYTES,
}  # fmt: skip

# message: [(number, name, kind or message, repeated, in the `value` oneof)]
_MESSAGES: dict[str, list[tuple[int, str, str, bool, bool]]] = {
    "PropertyValue": [
        (1, "type", "u32", False, False), (2, "is_null", "bool", False, False),
        (3, "int_value", "u32", False, True), (4, "long_value", "u64", False, True),
        (5, "float_value", "float", False, True), (6, "double_value", "double", False, True),
        (7, "boolean_value", "bool", False, True), (8, "string_value", "string", False, True),
    ],
    "PropertySet": [
        (1, "keys", "string", True, False), (2, "values", "PropertyValue", True, False),
    ],
    "Metric": [
        (1, "name", "string", False, False), (2, "alias", "u64", False, False),
        (3, "timestamp", "u64", False, False), (4, "datatype", "u32", False, False),
        (5, "is_historical", "bool", False, False), (6, "is_transient", "bool", False, False),
        (7, "is_null", "bool", False, False), (9, "properties", "PropertySet", False, False),
        (10, "int_value", "u32", False, True), (11, "long_value", "u64", False, True),
        (12, "float_value", "float", False, True), (13, "double_value", "double", False, True),
        (14, "boolean_value", "bool", False, True), (15, "string_value", "string", False, True),
        (16, "bytes_value", "bytes", False, True),
    ],
    "Payload": [
        (1, "timestamp", "u64", False, False), (2, "metrics", "Metric", True, False),
        (3, "seq", "u64", False, False), (4, "uuid", "string", False, False),
        (5, "body", "bytes", False, False),
    ],
}  # fmt: skip


def _file() -> descriptor_pb2.FileDescriptorProto:
    made = descriptor_pb2.FileDescriptorProto(
        name="onsil/sparkplug_b.proto", package=_PACKAGE, syntax="proto2"
    )
    for message, listed in _MESSAGES.items():
        described = made.message_type.add(name=message)
        if any(one[4] for one in listed):
            described.oneof_decl.add(name="value")
        for number, name, kind, repeated, chosen in listed:
            label = _F.LABEL_REPEATED if repeated else _F.LABEL_OPTIONAL
            one = described.field.add(name=name, number=number, label=label)
            if kind in _KINDS:
                one.type = _KINDS[kind]
            else:
                one.type, one.type_name = _F.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            if chosen:
                one.oneof_index = 0
    return made


_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file())
Payload = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
Metric = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Metric"))
