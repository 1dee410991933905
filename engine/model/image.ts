/** What a registry says of a container image. */
export interface ImageAnswer {
  /** `missing`: the registry accepted our credentials (or wants none) and has not the image; `unchecked`: nobody was asked, or gave no clear answer. */
  readonly state: 'present' | 'missing' | 'unchecked';
  /** Why it is unchecked; a clause such as `the registry does not answer`. */
  readonly reason?: string;
}

/** Asks container registries. Never rejects: whatever goes wrong is `unchecked`. */
export interface ImageRegistries {
  /** Answers by image, as written in a manifest: `ghcr.io/acme/api:v2`, `nginx`, `acme/api@sha256:…`. */
  ask(images: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, ImageAnswer>>;
}
