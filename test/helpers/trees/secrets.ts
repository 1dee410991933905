import fc from 'fast-check';
import { anyCharacter } from './any-character.ts';

const SECRET_CORE = 'Zq7Zq7';

export const SECRET_KEYS = (
  'password passwd passphrase secret token apikey api_key api-key API_KEY privateKey private-key credential credentials ' +
  'connectionString connection_string dsn SENTRY_DSN auth DB_PASSWORD dbPassword clientSecret DBPASSWORD ' +
  'spring.datasource.password AWS_SECRET_ACCESS_KEY pwd DB_PASS tls.key .dockerconfigjson jwtSecret ENCRYPTION_KEY basicAuth ' +
  'rootPassword passwordHash GITHUB_TOKEN secrets htpasswd sshKey HTTPPassword password2 requirepass'
).split(' ');

/** Holds no digit, so that no part of SECRET_CORE comes about by chance. */
export const word = fc.stringMatching(/^[a-z][a-zA-Z]{0,8}$/);
export const secretKey = fc.constantFrom(...SECRET_KEYS);
/** A secret is recognised in what comes out by its core, whatever stands around it. */
export const secret = fc
  .tuple(
    fc.string({ unit: anyCharacter, maxLength: 12 }),
    fc.constantFrom('', ' ', '\n', '\n\n', ': ', '#', ' #', '"', "'", '- '),
  )
  .map(([text, sign]) => `${text}${sign}${SECRET_CORE}${sign}${text}`);
const plain: fc.Arbitrary<unknown> = fc.oneof(
  word,
  fc.integer(),
  fc.boolean(),
  fc.array(word, { minLength: 1, maxLength: 3 }),
);
const underSecret: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    secret,
    fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
    fc.dictionary(word, tie('value'), { minKeys: 1, maxKeys: 3 }),
  ),
})).value;
const holder: fc.Arbitrary<unknown> = fc.oneof(
  fc.tuple(secretKey, underSecret).map(([key, value]) => ({ [key]: value })),
  fc
    .dictionary(word, secret, { minKeys: 1, maxKeys: 3 })
    .map((stringData) => ({ kind: 'Secret', stringData })),
  fc.tuple(secretKey, secret).map(([name, value]) => ({ name, value })),
  fc.tuple(secretKey, secret).map(([name, value]) => ({ value, name })),
);
/** A document that holds secrets under a secret key, in a Secret manifest or beside a secret name; each contains SECRET_CORE. */
export const documentWithSecret = fc
  .tuple(fc.dictionary(word, plain, { maxKeys: 3 }), word, holder, fc.boolean())
  .map(([rest, key, held, isList]) => ({ ...rest, [key]: isList ? [held] : held }));
