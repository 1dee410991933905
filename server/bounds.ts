/** How much of a request is read, and for how long it is waited for. */
export interface Bounds {
  readonly bodyBytes: number;
  readonly headerBytes: number;
  /** Of one parameter of an address: characters. */
  readonly parameterLength: number;
  /** Milliseconds until its headers, and all of it, have arrived. */
  readonly arrivalMs: number;
  /** Milliseconds between signs of life of a stream of events: less than a proxy waits. */
  readonly heartbeatMs: number;
}

export const BOUNDS: Bounds = {
  bodyBytes: 1_048_576,
  headerBytes: 16_384,
  parameterLength: 1024,
  arrivalMs: 30_000,
  heartbeatMs: 3000,
};
