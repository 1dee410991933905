/**
 * What `npm test` leaves to `npm run proof -- NAME`: random cases and rows of a table beyond a sample, and tests of what
 * another test proves as well. CONTRIBUTING.md says what is never left to it.
 */

/** `it.runIf(isProof)`: a test that differs little from one that `npm test` runs, which skips it by name. */
export const isProof = process.env['BACKTRAIL_PROOF'] === 'full';

/** As many in a proof; else a tenth, or `sample`. */
export const runs = (all: number, sample = Math.ceil(all / 10)): number => (isProof ? all : sample);

/** Rows of a table whose cases are alike: all in a proof; else `sample` of them, spread over the table. Rows that are lists are tuples, as in `it.each`. */
export const someOf = <Row extends string | number | boolean | object | []>(
  rows: readonly Row[],
  sample: number,
): Row[] =>
  rows.filter((_, index) => {
    const share = (place: number) => Math.floor((place * runs(rows.length, sample)) / rows.length);
    return share(index + 1) > share(index);
  });
