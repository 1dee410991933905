/** Tampering with the commit of the manifests. */
import { type Case, ELSEWHERE } from '../case.ts';
import { type Change, type Given, type Kind, parentOf, type Tampered, treeOf } from '../tampering.ts';
import { between } from './commit.ts';
import { type Codes, expectedBy, type FoundBy } from './expect.ts';

interface DeliveryKind {
  readonly codes: FoundBy;
  readonly renders?: boolean;
  /** It names no rollback any more, and is named itself. */
  readonly isOrphan?: boolean;
  readonly tamper: (given: Given) => Promise<Tampered>;
}

const deliveryOf = ({ honest }: Given) => honest.delivery ?? '';
const change = (made: (given: Given) => Promise<Change> | Change) => async (given: Given) =>
  given.rewriteDelivery(await made(given));
const text = (from: RegExp, to: string) => change(() => ({ text: (own) => own.replace(from, to) }));
const output = ({ honest }: Given) => honest.of.output ?? '';
const inManifest = (made: (text: string) => string, mode?: string) => async (given: Given) => {
  const { objects, honest, blob } = given;
  const line = objects.find(treeOf(objects, honest.delivery ?? ''), output(given));
  const id = await blob(made(objects.text(line?.id ?? '')));
  return given.rewriteDelivery({ edits: { [output(given)]: { mode: mode ?? line?.mode ?? '', id } } });
};
const file = (path: (given: Given) => string, content: string) =>
  change(async (given) => ({ edits: await given.file(path(given), content) }));
const flip = (text: string) =>
  text.replace(/[0-9a-f](?=[^0-9a-f]*$)/, (digit) => (digit === '0' ? '1' : '0'));
/** Seen by who renders them again, or has a ledger. */
const byManifests = ({ hasLedger }: Case) => (hasLedger ? (['DELIVERY_MISSING'] as const) : 'hidden');

const CHANGED: Readonly<
  Record<string, readonly [value: (value: string) => string, changed: Codes, dropped: Codes]>
> = {
  'Delivery-Of': [flip, ['DELIVERY_DIFFERS'], ['DELIVERY_ORPHAN']],
  'Delivery-Request': [() => 'rbk-01AAAAAAAAAAAAAAAAAAAAAAAA', ['DELIVERY_DIFFERS'], ['TRAILER_MISSING']],
  'Delivery-Renderer': [() => 'plain 99', ['RENDERER_MISSING'], ['TRAILER_MISSING']],
};

function ofTrailer(key: string): Record<string, DeliveryKind> {
  const [value, changed, dropped] = CHANGED[key] ?? [];
  const isOrphan = key === 'Delivery-Of';
  const line = new RegExp(`^${key}: (.*)\\n`, 'm');
  const to = (make: (line: string) => string) => change(() => ({ text: (own) => own.replace(line, make) }));
  return {
    [`${key} changed`]: {
      codes: changed ?? [],
      renders: true,
      tamper: to((own) => `${key}: ${value?.(own.slice(key.length + 2, -1)) ?? ''}\n`),
    },
    [`${key} dropped`]: { codes: dropped ?? [], isOrphan, tamper: to(() => '') },
    [`${key} doubled`]: {
      codes: isOrphan ? ['DELIVERY_ORPHAN'] : ['TRAILER_REPEATED'],
      isOrphan,
      tamper: to((own) => own + own),
    },
    [`${key} in lower case`]: {
      codes: ['TRAILER_DIFFERS'],
      tamper: to((own) => own.replace(key, key.toLowerCase())),
    },
  };
}

const KINDS: Readonly<Record<string, DeliveryKind>> = {
  ...ofTrailer('Delivery-Of'),
  ...ofTrailer('Delivery-Request'),
  ...ofTrailer('Delivery-Renderer'),
  'a byte in a manifest': { codes: byManifests, tamper: inManifest((own) => `${own}#\n`) },
  'a byte in a manifest, rendered again': {
    codes: ['DELIVERY_DIFFERS'],
    renders: true,
    tamper: inManifest((own) => `${own}#\n`),
  },
  'a manifest made executable, rendered again': {
    codes: ['DELIVERY_DIFFERS'],
    renders: true,
    tamper: inManifest((own) => own, '100755'),
  },
  'a manifest made a link, rendered again': {
    codes: ['DELIVERY_DIFFERS'],
    renders: true,
    tamper: inManifest(() => 'web.yaml', '120000'),
  },
  'a manifest more, rendered again': {
    codes: ['DELIVERY_DIFFERS'],
    renders: true,
    tamper: file((given) => output(given).replace(/[^/]+$/, 'more.yaml'), 'a: 1\n'),
  },
  'no manifests': {
    codes: byManifests,
    tamper: (given) => Promise.resolve(given.branch(given.honest.commit, given.honest.commit)),
  },
  'no manifests, rendered again': {
    codes: ['DELIVERY_MISSING'],
    renders: true,
    tamper: (given) => Promise.resolve(given.branch(given.honest.commit, given.honest.commit)),
  },
  'an empty commit of manifests': {
    codes: ['DELIVERY_DIFFERS'],
    tamper: change(({ tree }) => ({ tree })),
  },
  'a file of the scope among the manifests': {
    codes: ['OUTPUT_UNEXPECTED'],
    tamper: file(({ restored }) => restored, 'image: mine\n'),
  },
  'a file elsewhere among the manifests': {
    codes: ['OUTPUT_UNEXPECTED'],
    tamper: file(() => ELSEWHERE, 'mine\n'),
  },
  'manifests of another environment': {
    codes: ['OUTPUT_UNEXPECTED'],
    tamper: file((given) => output(given).replace(/(production|prod)\//, 'staging/'), 'a: 1\n'),
  },
  'the configuration among the manifests': {
    codes: ['OUTPUT_UNEXPECTED'],
    tamper: change(async ({ file: written }) => ({
      edits: await written('.backtrail/config.yaml', (own) => `${own}\n`),
    })),
  },
  'the subject of the manifests': { codes: ['SUBJECT_DIFFERS'], tamper: text(/\n\n(?=\S)/, '\n\nfix: ') },
  'the author of the manifests': {
    codes: ['AUTHOR_DIFFERS'],
    tamper: text(/^author .*?<.*?>/m, 'author Eve <eve@example.com>'),
  },
  'the committer of the manifests': {
    codes: ['COMMITTER_DIFFERS'],
    tamper: text(/^committer .*?<.*?>/m, 'committer Eve <eve@example.com>'),
  },
  'the date of the manifests': {
    codes: ['DATE_DIFFERS'],
    tamper: text(/^((?:author|committer) .*> )\d+/gm, '$11700000000'),
  },
  'the manifests as a merge': {
    codes: ['PARENTS'],
    tamper: async (given) => {
      const other = await between(given, given.base);
      return given.rewriteDelivery({ text: (own) => own.replace(/^(parent .*)$/m, `$1\nparent ${other}`) });
    },
  },
  'a commit between it and its manifests': {
    codes: ['DELIVERY_ORPHAN'],
    tamper: async (given) => {
      const { objects, honest } = given;
      const other = await between(given, honest.commit);
      const own = objects.text(deliveryOf(given)).replace(/^parent .*$/m, `parent ${other}`);
      const edits = await given.file(ELSEWHERE, 'between\n');
      const tree = await objects.edit(treeOf(objects, deliveryOf(given)), edits);
      const moved = await objects.write('commit', own.replace(/^tree .*/, `tree ${tree}`));
      return given.branch(moved, moved);
    },
  },
  'its manifests twice': {
    codes: ['DELIVERY_ORPHAN'],
    tamper: async (given) => {
      const { objects } = given;
      const own = objects.text(deliveryOf(given)).replace(/^parent .*$/m, `parent ${deliveryOf(given)}`);
      const again = await objects.write('commit', own);
      return given.branch(again, again);
    },
  },
  'manifests without their rollback': {
    codes: ['DELIVERY_ORPHAN'],
    tamper: async (given) => {
      const { objects, base } = given;
      const own = objects.text(deliveryOf(given)).replace(/^parent .*$/m, `parent ${base}`);
      const alone = await objects.write('commit', own);
      return given.branch(alone, alone);
    },
  },
  'manifests before their rollback': {
    codes: ['DELIVERY_ORPHAN'],
    tamper: async (given) => {
      const { objects, base, honest } = given;
      const own = objects.text(deliveryOf(given)).replace(/^parent .*$/m, `parent ${base}`);
      const first = await objects.write('commit', own);
      const after = objects.text(honest.commit).replace(`parent ${base}`, `parent ${first}`);
      const last = await objects.write('commit', after);
      if (parentOf(objects, last) !== first) throw new Error('It does not follow.');
      return given.branch(last, first);
    },
  },
};

export const MANIFESTS: readonly Kind[] = Object.entries(KINDS).map(
  ([name, { codes, renders = false, isOrphan = false, tamper }]) => ({
    name,
    group: 'delivery',
    applies: ({ delivery }) => delivery !== undefined,
    renders,
    expected: expectedBy(codes),
    tamper: async (given) => {
      const made = await tamper(given);
      return isOrphan ? { ...made, at: made.main } : made;
    },
  }),
);
