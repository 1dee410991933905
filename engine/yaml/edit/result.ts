import type { RefusalReason } from '../core/refusal.ts';
import type { Selector } from '../core/selector.ts';
import type { Operation } from './context.ts';

export type EditResult =
  | {
      readonly ok: true;
      readonly text: string;
      readonly changed: boolean;
      /** The edits, leaf by leaf. Selectors start with the given one. */
      readonly operations: readonly Operation[];
    }
  | {
      readonly ok: false;
      readonly reason: RefusalReason;
      /** One sentence with the position; never the content of the file. */
      readonly message: string;
      readonly hint: string;
    };

export interface FieldRestoration {
  /** Determines the format. Without it the text is YAML. */
  readonly path?: string;
  /** The text to edit, decoded, including a byte order mark. */
  readonly base: string;
  /** The text with the former state of the field. */
  readonly target: string;
  readonly selector: Selector;
}
