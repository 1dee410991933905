/** What stops one kind of automation: an adapter finds it in a file, and says which bytes have to go. */
import type { TakenPart } from '../../model/index.ts';
import type { ParsedText } from '../../yaml/core/document.ts';

export interface AdapterFile {
  readonly path: string;
  readonly parsed: ParsedText;
  /** Canonical selectors of the restored fields of this file; empty in other files of the scope. */
  readonly fields: readonly string[];
  readonly settings: AdapterSettings;
}

export interface AdapterSettings {
  /** `holds.set` for this file: the selector, and the source of the value. */
  readonly set: readonly { readonly selector: string; readonly value: string }[];
  /** Whether an address is that of this repository. */
  readonly isOwn: (address: string) => boolean;
  readonly branch: string;
  /** The commit that is rolled back to. */
  readonly target: string;
}

/** A replacement in the text of the file, and what gives the old bytes back. */
export interface Taking {
  readonly start: number;
  readonly end: number;
  /** The new bytes. */
  readonly text: string;
  readonly part: Omit<TakenPart, 'adapter' | 'path' | 'took'>;
}

export interface Adapter {
  readonly name: string;
  /** Finding it in what is restored means that automation moves it: such a rollback holds by default. */
  readonly isEvidence: boolean;
  /** Looks also at files of the scope that the rollback does not change. */
  readonly looksAround: boolean;
  /** Cheap, and true where it may find something. */
  mayFind(text: string, settings: AdapterSettings): boolean;
  /** The first thing to take away in this text; null: nothing (any more). */
  find(file: AdapterFile): Taking | null;
  /** What it saw and cannot stop, as a sentence. */
  unable?(file: AdapterFile): string | null;
}
