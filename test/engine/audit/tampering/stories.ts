import { ALONE } from './cases/alone.ts';
import { LEDGERED } from './cases/ledgered.ts';
import { HOLDS, MANIFESTS, SHA256 } from './cases/others.ts';
import { PULL_REQUESTS } from './cases/pull-requests.ts';
import type { Story } from './case.ts';

export const STORIES: readonly Story[] = [ALONE, SHA256, HOLDS, MANIFESTS, LEDGERED, PULL_REQUESTS];
