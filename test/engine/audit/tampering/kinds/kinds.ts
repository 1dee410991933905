/** Every kind of tampering, in one table. */
import type { Kind } from '../tampering.ts';
import { COMMIT } from './commit.ts';
import { MANIFESTS } from './delivery.ts';
import { LEDGER } from './ledger.ts';
import { SERVED } from './served.ts';
import { MESSAGE } from './message.ts';
import { TREE } from './tree.ts';

export const KINDS: readonly Kind[] = [...TREE, ...MESSAGE, ...COMMIT, ...MANIFESTS, ...LEDGER, ...SERVED];
