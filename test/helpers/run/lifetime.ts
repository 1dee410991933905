/**
 * What tests open is closed after the test or after its file. A worker loads a helper once for all of its files, so a
 * helper registers no hooks of its own: it calls these, and setup.ts, which runs for every file, calls the last two.
 */
type Close = () => unknown;

const afterTest: Close[] = [];
const afterFile: Close[] = [];

export const closeAfterTest = (close: Close): unknown => afterTest.push(close);
export const closeAfterFile = (close: Close): unknown => afterFile.push(close);

export async function endTest(): Promise<void> {
  for (const close of afterTest.splice(0)) await close();
}

export async function endFile(): Promise<void> {
  await endTest();
  for (const close of afterFile.splice(0)) await close();
}
