import { shellWord } from '../model/index.ts';

/** `git -C FOLDER …` */
export const command = (folder: string, rest: string) => `git -C ${shellWord(folder)} ${rest}`;
