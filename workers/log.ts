import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { isFailure } from '../engine/model/index.ts';
import { redact } from '../engine/model/failure.ts';

export type { Logger } from 'pino';

const SECRETS = ['password', 'token', 'authorization', 'redisUrl', 'config', 'reason'];

/**
 * The worker's log: one JSON object a line, on standard output by default, written before the call returns
 * so that a process that ends has said everything. Times are ISO 8601 in UTC. Keys: requestId, step, code, durationMs.
 */
export function createLogger(
  options: { level?: string; name?: string; destination?: DestinationStream } = {},
): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { name: options.name ?? 'backtrail', pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: SECRETS.flatMap((key) => [key, `*.${key}`]), censor: '***' },
      hooks: { streamWrite: redact },
    },
    options.destination ?? standardOutput(),
  );
}

/** Known failures by their code and sentence; where no one foresaw the error, its first line (parsers quote below it) and the places. */
function describeError(error: unknown): Record<string, unknown> {
  if (isFailure(error)) return { code: error.code, message: error.message, hint: error.hint };
  if (!(error instanceof Error)) return { message: typeof error };
  const places = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { name: error.name, message: firstLine(error.message), stack: places.map((line) => line.trim()) };
}

const firstLine = (text: string) => (text.split('\n')[0] ?? '').slice(0, 200);

function standardOutput(): DestinationStream {
  const destination = pino.destination({ dest: 1, sync: true });
  // A reader that went away must not end a rollback that is under way.
  destination.on('error', () => undefined);
  return destination;
}
