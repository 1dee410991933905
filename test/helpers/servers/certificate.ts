import { execFileSync } from 'node:child_process';

/** `server.crt` and `server.key` for 127.0.0.1 or another name, signed by the authority of `ca.crt`. */
export function makeCertificate(folder: string, name = 'IP:127.0.0.1'): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'];
  openssl('req', '-x509', ...key, 'ca.key', '-out', 'ca.crt', '-days', '2', '-subj', '/CN=Test authority');
  const request = ['-out', 'server.csr', '-subj', '/CN=registry', '-addext', `subjectAltName=${name}`];
  openssl('req', '-new', ...key, 'server.key', ...request);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt', '-days', '2');
}
