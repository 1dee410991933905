import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lint } from '../../../engine/snapshot/secrets/secretlint.ts';
import { findVendorSecrets } from '../../../engine/snapshot/secrets/vendor-rules.ts';

const some = (length: number) => 'aB3dE6gH9j'.repeat(20).slice(0, length);

/** One of each rule of secretlint's recommended preset, put together here so that no scanner of this repository finds them. */
const SECRETS: readonly string[] = [
  `AWS_SECRET_ACCESS_KEY=${some(40)}`,
  `"aws_secret_access_key": "${some(40)}"`,
  `SecretAccessKey: ${some(40)}`,
  `//registry.npmjs.org/:_authToken=${some(36)}`,
  `npm_${some(36)}`,
  `https://${some(20)}:x-oauth-basic@github.com/a/b`,
  `https://jane:${some(12)}@example.com/x`,
  `ftp://jane:${some(12)}@example.com`,
  `xoxb-${some(12)}-${some(12)}`,
  `https://hooks.slack.com/services/T${some(8)}/B${some(8)}/${some(24)}`,
  `SG.${some(22)}.${some(43)}`,
  `shpat_${some(32)}`,
  `ghp_${some(36)}`,
  `github_pat_${some(82)}`,
  `sk-${some(20)}T3BlbkFJ${some(20)}`,
  `sk-ant-api03-${some(93)}AA`,
  `lin_api_${some(40)}`,
  `mongodb://jane:${some(12)}@db.example.com/x`,
  `mysql://jane:${some(12)}@db.example.com/x`,
  `postgres://jane:${some(12)}@db.example.com/x`,
  `postgresql://jane:${some(12)}@db.example.com/x`,
  `-----BEGIN RSA PRIVATE KEY-----\n${some(200)}\n-----END RSA PRIVATE KEY-----`,
];

it('knows rules that find most of these', async () => {
  const found = await Promise.all(SECRETS.map(async (text) => (await lint(text)).length > 0));
  expect(found.filter(Boolean).length).toBeGreaterThan(15);
});

it('finds all that secretlint finds, though it asks it seldom', async () => {
  const filler = fc.constantFrom(
    'replicas: 3',
    'image: example.com/web@sha256:' + 'ab'.repeat(32),
    '# tag',
    '',
    'token: ',
  );
  const line = fc.oneof(filler, fc.constantFrom(...SECRETS), fc.string({ maxLength: 60 }));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), async (lines) => {
      const text = lines.join('\n');
      const [all, own] = [await lint(text), await findVendorSecrets(text)];
      expect(own.map(({ value }) => value)).toEqual(all.map(({ start, end }) => text.slice(start, end)));
    }),
  );
});
