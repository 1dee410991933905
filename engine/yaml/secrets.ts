/**
 * Which names promise a secret, and which texts are one whatever they are called. A wrong guess here shows a password, so that
 * doubt counts as secret; the exceptions are names that are known to hold a reference to a secret or a setting about one.
 */

export const MASK = '***';
/** A secret that is another one than before. */
export const CHANGED_MASK = `${MASK} (changed)`;

/** Writes what stands in the place of a secret: the secret's text is given so that two secrets can be told apart, never to be shown. */
export type Marker = (secret: string) => string;

const STEMS =
  /passw(?:or)?d|passphrase|secret|token|credential|api-?key|private-?key|access-?key|connection-?string|kubeconfig|dockerc(?:onfig|fg)|htpasswd|requirepass|masterauth/;
const WORDS = new Set(
  'pass pwd pw pin otp totp creds cred dsn auth auths authorization oauth jwt bearer psk passcode netrc pgpass connstr'.split(
    ' ',
  ),
);
const KEY_OF =
  'auth account client cookie crypto csrf deploy encryption encrypting hmac jwt license licence master pgp gpg age rsa ecdsa aes tls ssl ssh service session shared signing sign storage symmetric webhook app';
const SECRET_KEYS = new RegExp(`(?:^|-)(?:${KEY_OF.replaceAll(' ', '|')})-?keys?(?:-|$)`);
/** Last words that make a name a reference or a setting: `secretName`, `passwordFile`, `tokenTtl`, `auth-service`. */
const ABOUT = new Set(
  (
    'name names ref refs reference references path paths file files filename dir directory url uri endpoint endpoints host port enabled ' +
    'disabled required optional ttl expiry expiration expires timeout seconds minutes hours days lifetime length policy type mode method ' +
    'algorithm class provider store version count limit limits size mount mounts volume volumes namespace rotation interval issuer ' +
    'audience service services server gateway worker manager controller operator proxy ui frontend backend reset reviewer requests driver'
  ).split(' '),
);
const REFERENCES = /^(?:existing-.*|external-secrets?|(?:image-)?pull-secrets?|secret-?key-?ref.*)$/;

/** Does a value under this name have to be masked? `DB_PASSWORD`, `clientSecret`, `api-key`: yes. `secretName`, `tokenPath`: no. */
export function isSecretKey(name: string): boolean {
  if (name.length > 512) return true;
  const words = wordsOf(name);
  if (ABOUT.has(words.at(-1) ?? '')) return false;
  const joined = words.join('-');
  if (REFERENCES.test(joined) && joined !== 'pull-secret') return false;
  return STEMS.test(joined) || SECRET_KEYS.test(joined) || words.some((word) => WORDS.has(word));
}

/** A name in lower-case words: camelCase, SNAKE_CASE, kebab-case, dotted and slashed names. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** Values that are no secret wherever they stand; `secrets: [../config/secrets.yaml]` lists files. */
export function isHarmlessValue(text: string): boolean {
  if (text.length > 500) return false;
  const value = text.trim().replace(/[,;\s]+$/, '');
  return (
    /^(?:|true|false|null|~|""|''|\{\}|\[\])$/i.test(value) ||
    /^(["']?)(?:[\w.-]{1,100}\/){1,20}[\w.-]{1,100}\.(?:ya?ml|json)\1$/i.test(value)
  );
}

/** Shapes that vendors give their tokens, so that they can be found in texts. */
const TOKENS = [
  /\bgh[pousr]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_\w{16,}/g,
  /\bglpat-[\w-]{16,}/g,
  /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}/g,
  /\bAIza[\w-]{30,}/g,
  /\bya29\.[\w-]{16,}/g,
  /\bxox[a-z]-[\w-]{8,}/g,
  /\bxapp-[\w-]{8,}/g,
  /hooks\.slack\.com\/services\/[\w/-]+/g,
  /\beyJ[\w-]{6,}={0,2}(?:\.[\w-]*={0,2}){0,4}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_\w{8,}/g,
  /\bsk-[\w-]{20,}/g,
  /\bnpm_[A-Za-z0-9]{20,}/g,
  /\bhf_[A-Za-z0-9]{20,}/g,
  /\bpypi-[\w-]{20,}/g,
  /\bdckr_pat_[\w-]{16,}/g,
  /\bhv[sbr]\.[\w-]{16,}/g,
  /\bdop_v1_[a-f0-9]{16,}/g,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}/g,
  /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/gi,
  /\$(?:2[abxy]|argon2(?:i|d|id)|[156]|apr1)\$[\w./$,=+-]{16,}/g,
] as const;

const TOKEN_HINT =
  /gh[pousr]_|_pat_|glpat-|AKIA|ASIA|AROA|AIDA|AIza|ya29|xox|xapp-|slack|eyJ|[srp]k[_-]|npm_|hf_|pypi-|hv[sbr]\.|dop_|SG\.|age-sec|\$|@|-----|bearer|basic|digest|token/i;

/** Is it worth looking for tokens in a text? */
export function mayHoldToken(text: string): boolean {
  return TOKEN_HINT.test(text);
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{0,60}PRIVATE KEY[A-Z ]{0,20})-----[\s\S]*?(?:-----END \1-----|$)/g;
/** `scheme://user:password@host`. A digest after an image (`@sha256:`) and `git@` are none; a password may hold a slash. */
const URL_WITH_PASSWORD = /:\/\/[^\s/:@"'<>]{0,1024}:[^\s"'<>]{0,1024}@(?!sha\d{3}:)/g;
const URL_WITH_TOKEN = /:\/\/(?!git@)[^\s/:@"'<>]{1,2048}@(?!sha\d{3}:)/g;
/** `user:password@tcp(host)`, as some drivers write it, without a scheme. */
const BARE_LOGIN = /(?<![\w.%/+@-])[\w.%+-]{1,128}:[^\s@/:"'<>]{1,1024}@(?!sha\d{3}:)(?=[\w([])/g;
const HEADER = /\b(Bearer|Basic|Digest|Token)([ \t]+)[\w.~+/=-]{8,}/gi;

/** Replaces private keys, logins in addresses and tokens of known shape, wherever they stand in a text. */
export function maskTokens(text: string, marker: Marker): string {
  if (!mayHoldToken(text)) return text;
  let masked = text;
  if (text.includes('-----BEGIN')) masked = masked.replace(BLOCK, marker);
  if (text.includes('@')) {
    masked = masked
      .replace(URL_WITH_PASSWORD, (login) => `://${marker(login)}@`)
      .replace(URL_WITH_TOKEN, (login) => (login.startsWith(`://${MASK}`) ? login : `://${marker(login)}@`))
      .replace(BARE_LOGIN, (login) => `${marker(login)}@`);
  }
  for (const pattern of TOKENS) masked = masked.replace(pattern, marker);
  return masked.replace(
    HEADER,
    (header, scheme: string, blank: string) => `${scheme}${blank}${marker(header)}`,
  );
}
