/** One service of an environment (or an environment, in a layout without services): its folders and its output. Paths are relative to the root of the tree. */
export interface ServiceUnit {
  readonly tenant?: string;
  readonly environment: string;
  readonly service?: string;
  /** The service's own folder, e.g. `tenants/acme/production/services/api-gateway`; null if it is only a part of shared files. */
  readonly directory: string | null;
  readonly environmentDirectory: string | null;
  /** Existing variable files of the environment or the service, general ones first. */
  readonly variableFiles: readonly string[];
  readonly output: string;
}

export interface Rendered {
  readonly path: string;
  /** One of RENDERERS. */
  readonly renderer: string;
  /** Name and version, as recorded in trailers: `kustomize 5.5.0`. */
  readonly label: string;
  readonly content: string;
}
