import fc from 'fast-check';

const SURROGATES = { first: 0xd800, last: 0xdfff };
const MANY = SURROGATES.last - SURROGATES.first + 1;

/**
 * A `unit` of `fc.string`: every character of Unicode. fast-check's own, 'binary', is the same and holds a table of all of them, 59 MB that each
 * git would be forked with from then on.
 */
export const anyCharacter = fc.nat(0x10_ff_ff - MANY).map(
  (place) => String.fromCodePoint(place < SURROGATES.first ? place : place + MANY),
  (text) => {
    const point = typeof text === 'string' ? text.codePointAt(0) : undefined;
    const isOne = point !== undefined && String.fromCodePoint(point) === text;
    if (!isOne || (point >= SURROGATES.first && point <= SURROGATES.last))
      throw new Error('Not a character.');
    return point < SURROGATES.first ? point : point - MANY;
  },
);
