const MASK = '***';
const KEPT = 16;
/** Shorter than any token: replaced, it would take words out of sentences. */
const SHORTEST = 6;

/** Takes credentials that were sent out of whatever a host says, also as they look in an address or in base64. */
export function createScrubber() {
  let secrets: readonly string[] = [];
  return {
    /** `value`: of the header `authorization`. */
    add(value: string): void {
      const token = value.replace(/^[A-Za-z]+ +/, '');
      if (token.length < SHORTEST || secrets.includes(token)) return;
      const forms = [token, encodeURIComponent(token), Buffer.from(token).toString('base64')];
      secrets = [...new Set([...forms, ...secrets])].slice(0, 3 * KEPT);
    },
    scrub: (text: string) => secrets.reduce((left, secret) => left.replaceAll(secret, MASK), text),
  };
}
