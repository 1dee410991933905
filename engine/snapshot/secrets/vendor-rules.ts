/** Tokens and keys of vendors in a text, by the recommended rules of secretlint. They are loaded only for a text that may hold one. */

/** A part of a text that is secret. */
export interface SecretText {
  /** For people: `GitHub token`. */
  readonly what: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

/** Each of secretlint's rules finds only what contains one of these (test/engine/snapshot/vendor-rules.test.ts compares). */
const MAY_HOLD =
  /-----BEGIN|private_key|secret_?access_?key|x-oauth-basic|_authToken=|npm_|xox[a-z]-|xapp-|hooks\.slack|SG\.|shp(?:pa|ca|at|ss)_|gh[pousr]_|github_pat_|T3BlbkFJ|sk-ant-|lin_api_|ops_ey|:\/\/[^\s:/@]{1,256}:[^\s@]{1,256}@|mongodb|mysql|postgres/i;

/** Characters; more is no file that people write. */
const MAX_LENGTH = 2 * 1024 * 1024;

export async function findVendorSecrets(text: string): Promise<readonly SecretText[]> {
  if (text.length > MAX_LENGTH || !MAY_HOLD.test(text)) return [];
  const { lint } = await import('./secretlint.ts');
  const found = await lint(text);
  return found.map(({ rule, start, end }) => ({
    what: NAMES[rule] ?? 'secret',
    value: text.slice(start, end),
    line: text.slice(0, start).split('\n').length,
  }));
}

const NAMES: Readonly<Record<string, string>> = {
  aws: 'AWS key',
  gcp: 'Google Cloud key',
  privatekey: 'private key',
  npm: 'npm token',
  basicauth: 'password in an address',
  slack: 'Slack token',
  sendgrid: 'SendGrid key',
  shopify: 'Shopify token',
  github: 'GitHub token',
  openai: 'OpenAI key',
  anthropic: 'Anthropic key',
  linear: 'Linear key',
  '1password': '1Password token',
  'database-connection-string': 'password of a database',
};
