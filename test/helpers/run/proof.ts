/**
 * Tests with hundreds of random cases, or processes, run a sample of them in `npm test`, and all in
 * `npm run proof -- NAME`: the same assertions, more often.
 */

/** `it.runIf(isProof)`: a test of some seconds that differs little from one that `npm test` runs, and is skipped there by name. */
export const isProof = process.env['BACKTRAIL_PROOF'] === 'full';

/** As many in a proof; else a tenth, or `sample`. */
export const runs = (all: number, sample = Math.ceil(all / 10)): number => (isProof ? all : sample);

/** Rows of a table whose cases are alike: all in a proof; else `sample` of them, spread over the table. */
export const someOf = <Row>(rows: readonly Row[], sample: number): Row[] =>
  rows.filter((_, index) => {
    const share = (place: number) => Math.floor((place * runs(rows.length, sample)) / rows.length);
    return share(index + 1) > share(index);
  });
