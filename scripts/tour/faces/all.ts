/** The faces that `npm run tour:faces` shows, in order. */
import type { Face } from './face.ts';
import { graphql } from './graphql.ts';
import { helm } from './helm.ts';
import { mcp } from './mcp.ts';
import { platform } from './platform.ts';
import { webhooks } from './webhooks.ts';

export const FACES: readonly Face[] = [helm, platform, graphql, mcp, webhooks];
