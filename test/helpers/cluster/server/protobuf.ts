/** What kubectl sends of reviews of access: it speaks protobuf with groups that are built in. Answers may be JSON. */

const MAGIC = 'k8s\0';

export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** `spec` of a SelfSubjectAccessReview, in JSON or as `k8s.io/api/authorization/v1/generated.proto` numbers its fields. */
export function readAccessReview(body: Buffer): ResourceAttributes {
  if (body.toString('latin1', 0, MAGIC.length) !== MAGIC) return readJson(body);
  const review = fieldsOf(fieldsOf(body.subarray(MAGIC.length)).get(2));
  const spec = fieldsOf(review.get(2));
  const text = (fields: Map<number, Buffer>, number: number) => String(fields.get(number) ?? '');
  const resource = fieldsOf(spec.get(1));
  return {
    namespace: text(resource, 1),
    verb: spec.has(1) ? text(resource, 2) : text(fieldsOf(spec.get(2)), 2),
    group: text(resource, 3),
    resource: text(resource, 5),
    name: text(resource, 7),
  };
}

function readJson(body: Buffer): ResourceAttributes {
  const review: { spec?: { resourceAttributes?: object; nonResourceAttributes?: object } } = JSON.parse(
    String(body),
  );
  const given = review.spec?.resourceAttributes ?? review.spec?.nonResourceAttributes;
  return { verb: '', group: '', resource: '', namespace: '', name: '', ...given };
}

/** Fields that have a length, by their number; others are passed over. */
function fieldsOf(bytes: Buffer = Buffer.alloc(0)): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, wire] = [key >> 3, key & 7];
    const length = varint();
    if (wire !== 2) continue;
    fields.set(number, bytes.subarray(at, at + length));
    at += length;
  }
  return fields;
}
