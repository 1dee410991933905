import { BacktrailError, isFailure, isObjectId } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { gitFailure } from './failure.ts';
import { tooOld } from './program.ts';
import type { Runner } from './runner.ts';
import { SMALL_WINDOWS } from './small-windows.ts';
import { keepAlive, notStarted, terminate, timedOut } from './spawn.ts';

/**
 * The protocol of `git cat-file --batch-command` (git help cat-file): requests are lines, answers come in their order:
 * `<id> <type> <size>\n`, at the latest after `flush`, for `contents` followed by the bytes and a newline, or `<id> missing\n`.
 */
export interface CatFile {
  info(id: ObjectId): Promise<ObjectHeader | null>;
  /** The object that a ref points at. The name must be full (`refs/…`) and valid. */
  ref(name: string): Promise<ObjectId | null>;
  contents(id: ObjectId): Promise<ObjectContents | null>;
  /** Reads many objects, in their order; what is missing or larger than `limit` is passed over. The bytes may be looked at, but not kept. */
  each(ids: readonly ObjectId[], limit: number, take: (object: ObjectContents) => void): Promise<void>;
  close(): void;
}

interface ObjectHeader {
  readonly id: ObjectId;
  readonly type: string;
  readonly size: number;
}

interface ObjectContents extends ObjectHeader {
  readonly bytes: Buffer;
}

interface Pending {
  readonly command: 'info' | 'contents';
  /** Bytes; larger ones are passed over. */
  readonly limit?: number;
  readonly resolve: (answer: ObjectContents | null) => void;
  readonly reject: (error: Error) => void;
}

const ARGS = [...SMALL_WINDOWS, 'cat-file', '--batch-command', '--buffer'];

/** Larger trees and commits are refused; query the `info` of a blob first. */
const CONTENTS_LIMIT = 64 * 1024 * 1024;

/** Starts a child with the first request, and another one after a child has died. */
export function createCatFile(runner: Runner): CatFile {
  let conversation: Conversation | null = null;
  const begun = () => {
    if (runner.signal.aborted) throw new BacktrailError('GIT_FAILED', 'The repository was closed.');
    if (conversation === null || conversation.ended()) conversation = converse(runner);
    return conversation;
  };
  const query = async (command: Pending['command'], name: string) => begun().query(command, name);
  const askFor = async (command: Pending['command'], id: ObjectId) => {
    const answer = await query(command, validId(id));
    // Where ids have 64 digits, git takes 40 for an abbreviation.
    return answer?.id === id ? answer : null;
  };
  return {
    info: (id) => askFor('info', id),
    contents: (id) => askFor('contents', id),
    each: async (ids, limit, take) => {
      for (let at = 0; at < ids.length; at += AT_ONCE)
        await begun().each(ids.slice(at, at + AT_ONCE).map(validId), limit, take);
    },
    ref: async (name) => (await query('info', name))?.id ?? null,
    close: () => conversation?.end(),
  };
}

/** Objects asked for at once: what has come for them is taken before more is asked for. */
const AT_ONCE = 1_000;

function validId(id: ObjectId): ObjectId {
  if (isObjectId(id)) return id;
  throw new BacktrailError('OBJECT_MISSING', `'${String(id).slice(0, 80)}' is not a valid object id.`);
}

const COMPLAINT_LIMIT = 8 * 1024;

interface Conversation {
  query(command: Pending['command'], name: string): Promise<ObjectContents | null>;
  each: CatFile['each'];
  ended(): boolean;
  end(): void;
}

function converse(runner: Runner): Conversation {
  const child = runner.start(ARGS);
  const pending: Pending[] = [];
  let over = false;
  let timer: NodeJS.Timeout | undefined;

  const fail = (error: BacktrailError) => {
    over = true;
    clearTimeout(timer);
    for (const { reject } of pending.splice(0)) reject(error);
    terminate(child);
  };
  /** While an answer is owed the child keeps the process alive, and has a limited time for the next one. */
  const watch = () => {
    const waiting = pending.length > 0;
    if (waiting && timer !== undefined) {
      timer.refresh();
      return;
    }
    clearTimeout(timer);
    keepAlive(child, waiting);
    const late = () => fail(timedOut(ARGS, runner.timeoutMs));
    timer = waiting ? setTimeout(late, runner.timeoutMs) : undefined;
  };
  const read = createReader(pending, watch);
  child.stdout.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      fail(isFailure(error) ? error : nonsense(error));
    }
  });
  let requests = '';
  /** What is asked at one moment is asked, and answered, in one piece: by itself each object costs more to pass on than to find. */
  const write = (line: string) => {
    if (requests === '')
      process.nextTick(() => {
        child.stdin.write(`${requests}flush\n`);
        requests = '';
      });
    requests += line;
  };
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = `${complaint}${text}`.slice(-COMPLAINT_LIMIT);
  });
  child.on('error', (error) => fail(notStarted(error)));
  child.on('close', (code) => {
    // The oldest git that knows `--batch-command` is the oldest that will do.
    if (code === 129) return fail(tooOld(''));
    const said = { args: ARGS, code: code ?? 128, stderr: complaint };
    fail(complaint === '' ? endedEarly() : gitFailure(said));
  });
  return {
    query: (command, name) =>
      new Promise((resolve, reject) => {
        pending.push({ command, resolve, reject });
        if (pending.length === 1) watch();
        write(`${command} ${name}\n`);
      }),
    each: (ids, limit, take) =>
      new Promise((resolve, reject) => {
        let left = ids.length;
        const taken = (object: ObjectContents | null) => {
          if (object !== null) take(object);
          left -= 1;
          if (left === 0) resolve();
        };
        if (left === 0) resolve();
        for (const _ of ids) pending.push({ command: 'contents', limit, resolve: taken, reject });
        watch();
        write(ids.map((id) => `contents ${id}\n`).join(''));
      }),
    ended: () => over,
    end() {
      fail(new BacktrailError('GIT_FAILED', 'The repository was closed.'));
      keepAlive(child, false);
    },
  };
}

/** Cuts the byte stream into answers and gives each to the oldest pending request. */
function createReader(pending: Pending[], answered: () => void): (chunk: Buffer) => void {
  let header: Buffer[] = [];
  let body: { header: ObjectHeader; bytes: Buffer; filled: number } | null = null;
  /** Bytes of an object that nobody wants. */
  let passed = 0;

  const answer = (value: ObjectContents | null) => {
    const request = pending.shift();
    if (request === undefined) throw new Error('An answer without a question.');
    answered();
    request.resolve(value);
  };
  const readHeader = (chunk: Buffer): number => {
    const end = chunk.indexOf(10);
    header.push(end < 0 ? chunk : chunk.subarray(0, end));
    if (end < 0) return chunk.length;
    const line = Buffer.concat(header).toString('latin1');
    header = [];
    const parsed = parseHeader(line);
    if (parsed === null) answer(null);
    else if (pending[0]?.command !== 'contents') answer({ ...parsed, bytes: Buffer.alloc(0) });
    else if (parsed.size > (pending[0].limit ?? Infinity)) {
      passed = parsed.size + 1;
      answer(null);
    } else if (parsed.size > CONTENTS_LIMIT) throw tooLarge(line);
    else if (pending[0].limit !== undefined && end + 2 + parsed.size <= chunk.length) {
      // Whoever takes one after the other needs no copy.
      answer({ ...parsed, bytes: chunk.subarray(end + 1, end + 1 + parsed.size) });
      return end + 2 + parsed.size;
    }
    // One byte more than the object: the newline after it.
    else body = { header: parsed, bytes: Buffer.allocUnsafeSlow(parsed.size + 1), filled: 0 };
    return end + 1;
  };
  const readBody = (chunk: Buffer, into: NonNullable<typeof body>): number => {
    const taken = chunk.copy(into.bytes, into.filled);
    into.filled += taken;
    if (into.filled === into.bytes.length) {
      body = null;
      answer({ ...into.header, bytes: into.bytes.subarray(0, into.header.size) });
    }
    return taken;
  };
  return (chunk) => {
    for (let rest = chunk; rest.length > 0; ) {
      const skipped = Math.min(passed, rest.length);
      passed -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length > 0) rest = rest.subarray(body === null ? readHeader(rest) : readBody(rest, body));
    }
  };
}

function parseHeader(line: string): ObjectHeader | null {
  if (line.endsWith(' missing')) return null;
  const match = /^([0-9a-f]+) (commit|tree|blob|tag) (\d+)$/.exec(line);
  if (match === null) throw new Error(`Not a header: ${line.slice(0, 100)}`);
  return { id: match[1] ?? '', type: match[2] ?? '', size: Number(match[3]) };
}

function endedEarly(): BacktrailError {
  return new BacktrailError('GIT_FAILED', 'git cat-file ended before it had answered.');
}

function nonsense(cause: unknown): BacktrailError {
  return new BacktrailError('GIT_FAILED', 'git cat-file gave an answer that makes no sense.', { cause });
}

function tooLarge(header: string): BacktrailError {
  return new BacktrailError(
    'FILE_TOO_LARGE',
    `The object ${header} is over the limit of ${CONTENTS_LIMIT} bytes.`,
  );
}
