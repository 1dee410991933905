/**
 * Tests with hundreds of random cases, or processes, run a sample of them in `npm test`, and all in
 * `npm run proof -- NAME`: the same assertions, more often.
 */
const isFull = process.env['BACKTRAIL_PROOF'] === 'full';

/** As many in a proof; else a tenth, or `sample`. */
export const runs = (all: number, sample = Math.ceil(all / 10)): number => (isFull ? all : sample);
