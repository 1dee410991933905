import { BacktrailError, type Clock, type CodeHost, type HostNaming } from '../model/index.ts';

export interface HostOptions {
  /** Of the remote: https, ssh, or `user@host:path`. */
  readonly address: string;
  readonly naming: HostNaming;
  /** Path of the operator's file. */
  readonly hostsFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
}

/** @throws HOST_NOT_ALLOWED */
export function openHost({ address }: HostOptions): Promise<CodeHost> {
  return Promise.reject(new BacktrailError('HOST_NOT_ALLOWED', `There is no client for ${address} yet.`));
}
