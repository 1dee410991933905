import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BacktrailError, shellWord } from '../../model/index.ts';
import type { LedgerStore, NewEvent, ObjectId } from '../../model/index.ts';
import type { ConfigEntry } from '../process/config.ts';
import { printable, shownAddress } from '../process/failure.ts';
import { writeChains } from '../store/import.ts';
import { seenByRoot, seenOf } from './last-seen.ts';
import type { Seen, SeenTip } from './last-seen.ts';
import { withLock } from '../remote/lock.ts';
import { usableCache } from '../remote/mirror-cache.ts';
import type { NativeObjects } from '../store/objects.ts';
import { isAncestor, isBranchName, updateRefs } from '../store/refs.ts';
import type { RefEdit } from '../store/refs.ts';
import type { Runner } from '../process/runner.ts';
import { readSignatures } from '../signing/signatures.ts';
import { commitTree, signingOf } from '../signing/signing.ts';
import type { Signing } from '../signing/signing.ts';
import { ledgerStaging, sweepStaging } from '../store/staging.ts';

/** Where ledgers are read and written: the objects here, the ref where the repository lives. */
export interface LedgerPlace {
  readonly runner: Runner;
  readonly objects: NativeObjects;
  /** The whole configuration that holds where the user stands. */
  readonly entries: readonly ConfigEntry[];
  readonly cacheFolder: string;
  /** Of where the repository lives, without a login: a git directory, or what git fetches from. */
  readonly address: string;
  /** What `git push` names it, run in the git directory of `runner`. */
  readonly target: string;
  readonly home: LedgerHome;
}

/** The ref, where the repository lives. */
export interface LedgerHome {
  /** Asks for it anew. */
  ask(ref: string): Promise<ObjectId | null>;
  /** Moves it by compare-and-swap, as `publish` does; `staged` may go then. */
  move(edit: RefEdit & { readonly next: ObjectId }, staged: readonly RefEdit[]): Promise<void>;
}

export function createLedgerStore(place: LedgerPlace): LedgerStore {
  const { runner, objects, cacheFolder, address } = place;
  const signing = signingOf(place.entries);
  const seenAt = (ref: string) =>
    seenOf({ cacheFolder, address, ref: checkedRef(ref), signal: runner.signal });
  const rootAt = (ref: string, root: ObjectId) =>
    seenByRoot({ cacheFolder, root, ref, signal: runner.signal });
  const record = async (ref: string, tip: ObjectId) => {
    const [seen, root] = [seenAt(ref), await rootOf(tip)];
    const after = (before: ObjectId) => follows(place, tip, before);
    await usableCache(cacheFolder, () => seen.record({ tip, root }, after));
    await usableCache(cacheFolder, () => rootAt(ref, root).record({ tip, root }, after));
  };
  let known: { readonly tip: ObjectId; readonly root: ObjectId } | null = null;
  /** A ledger that goes on from one whose root is known has the same. */
  const rootOf = async (tip: ObjectId) => {
    const root =
      known !== null && (await follows(place, tip, known.tip)) ? known.root : await readRoot(runner, tip);
    known = { tip, root };
    return root;
  };
  const filesOf = (ref: string, { root }: SeenTip) => [
    seenAt(ref).file,
    ...(root === null ? [] : [rootAt(ref, root).file]),
  ];
  const rewindOf = async (ref: string, tip: ObjectId, seen: Seen) => {
    const before = await usableCache(cacheFolder, () => seen.read());
    const isFollowed = before === null || before.tip === tip || (await follows(place, tip, before.tip));
    return isFollowed ? null : rewound(place, { ref, tip, before: before.tip, files: [seen.file] });
  };
  return {
    async tip(ref) {
      const seen = seenAt(ref);
      // Before asking: what others append, and record, in between must not look as if it had gone.
      const before = await usableCache(cacheFolder, () => seen.read());
      if (before?.root) known ??= { tip: before.tip, root: before.root };
      const tip = await place.home.ask(ref);
      if (before !== null && tip !== before.tip && (tip === null || !(await follows(place, tip, before.tip))))
        throw await rewound(place, { ref, tip, before: before.tip, files: filesOf(ref, before) });
      if (tip === null) return tip;
      // The same ledger may have been seen under another address. What came while it was asked for is asked for again.
      const other = rootAt(ref, await rootOf(tip));
      if ((await rewindOf(ref, tip, other)) === null) {
        if (tip !== before?.tip || before.root === null) await record(ref, tip);
        return tip;
      }
      const again = await place.home.ask(ref);
      const rewind = again === null ? null : await rewindOf(ref, again, other);
      if (again === null || rewind !== null)
        throw rewind ?? (await rewound(place, { ref, tip: null, before: tip, files: [seen.file] }));
      await record(ref, again);
      return again;
    },
    async append(input) {
      const { ref, parent, events } = input;
      checkedRef(ref);
      if (events.length === 0) return [];
      const staging = ledgerStaging();
      const [written] = await Promise.all([
        write(place, staging, input),
        // In the way of no event: the next one tries again.
        sweepStaging(runner, `${staging}/`).catch(() => undefined),
      ]);
      const staged = written.refs.map((edit) => ({ ref: edit.ref, expected: edit.id, next: null }));
      let ids: readonly ObjectId[];
      try {
        ids = await signed(place, signing, { ...input, written: written.ids });
        await place.home.move({ ref, expected: parent, next: ids.at(-1) ?? '' }, staged);
      } catch (error) {
        await updateRefs(runner, staged).catch(() => undefined);
        throw error;
      }
      // The events stand: who asks for the tip next sees it, and says what is wrong with the cache folder.
      await record(ref, ids.at(-1) ?? '').catch(() => undefined);
      return ids;
    },
    async inTurn(ref, use) {
      const { file } = seenAt(ref);
      let begun = false;
      const once = () => {
        begun = true;
        return use();
      };
      try {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        return await withLock(`${file}.turn`, { waitMs: TURN_MS, signal: runner.signal }, once);
      } catch (error) {
        if (begun) throw error;
        return use();
      }
    },
    signs: () => Promise.resolve(signing.own !== null),
    signatures: (ids, allowedSigners, times) =>
      readSignatures({ runner, objects, signing }, ids, { file: allowedSigners, ...(times && { times }) }),
  };
}

/** The first commit of a ledger; of a line that somebody merged into, that of the line. */
async function readRoot(runner: Runner, tip: ObjectId): Promise<ObjectId> {
  const line = await runner.text(['rev-list', '--first-parent', '--max-parents=0', tip]);
  return line.split('\n').at(-1) ?? tip;
}

const TURN_MS = 20_000;

/** The name comes from the configuration of the branch. What is staged, and what a mirror has of its remote, is no ledger. */
function checkedRef(ref: string): string {
  const [, space, name = ''] = /^refs\/(backtrail|heads)\/(.+)$/s.exec(ref) ?? [];
  const taken = space === 'backtrail' && /^(staging|remote)(\/|$)/i.test(name);
  if (isBranchName(name) && !taken && name.length <= 200) return ref;
  const shown = printable(JSON.stringify(ref.slice(0, 100)));
  throw new BacktrailError('CONFIG_INVALID', `${shown} is no ref that can hold a ledger.`, {
    hint: 'Set `ledger.ref` to refs/backtrail/ledger, or to a branch of its own: refs/heads/NAME.',
  });
}

type Appended = Parameters<LedgerStore['append']>[0];

/** Objects only; one chain of commits that are not signed. */
function write({ runner }: LedgerPlace, staging: string, { parent, events, committer }: Appended) {
  const commits = events.map((event, index) => ({
    ...event,
    parent: index === 0 ? parent : null,
    committer,
  }));
  return writeChains(runner, staging, commits);
}

/** A signature changes an id, so that every commit after the first one that is signed is made again. */
async function signed(
  { runner, objects }: LedgerPlace,
  signing: Signing,
  { events, committer, parent, written }: Appended & { readonly written: readonly ObjectId[] },
): Promise<ObjectId[]> {
  const signs = ({ sign }: NewEvent) => sign && signing.own !== null;
  const ids: ObjectId[] = [];
  for (const [index, event] of events.entries()) {
    const plain = written[index] ?? '';
    const before = ids.at(-1) ?? parent;
    const stands = !signs(event) && (index === 0 || before === written[index - 1]);
    if (stands) ids.push(plain);
    else {
      const { tree } = await objects.commit(plain);
      ids.push(
        await commitTree(runner, signing, { ...event, tree, parent: before, committer, sign: signs(event) }),
      );
    }
  }
  return ids;
}

/** A commit that is not here any more cannot come before one that is: all of a ledger is fetched. */
async function follows({ runner, objects }: LedgerPlace, tip: ObjectId, before: ObjectId): Promise<boolean> {
  if (tip === before) return true;
  return (await objects.type(before)) === 'commit' && isAncestor(runner, before, tip);
}

async function rewound(
  { runner, objects, address, target }: LedgerPlace,
  state: { ref: string; tip: ObjectId | null; before: ObjectId; files: readonly string[] },
): Promise<BacktrailError> {
  const { ref, tip, before, files } = state;
  const [shown, short] = [shownAddress(address), (id: ObjectId) => id.slice(0, 12)];
  const is =
    tip === null
      ? `is gone; it was at ${short(before)}`
      : `is at ${short(tip)}, which does not follow ${short(before)}, where it was`;
  const push = `push ${shellWord(shownAddress(target))} ${before}:${shellWord(ref)}`;
  const isHere = (await objects.type(before)) === 'commit';
  const again = isHere
    ? `\`git -C ${shellWord(runner.directory)} ${push}\``
    : `from a copy that has it, \`git ${push}\``;
  return new BacktrailError(
    'LEDGER_REWOUND',
    printable(`The ledger ${ref} of ${shown} ${is} when it was last seen here.`),
    {
      hint: printable(
        `Bring the commit seen back: ${again}; if it was meant to go, remove ${files.join(' and ')}.`,
      ),
      details: { ref, tip, seen: before, files },
    },
  );
}
