/** An open file for reading here and there. */
export interface FileReader {
  /** Fills `buffer` from `position`; returns how many bytes there were. */
  readAt(position: number, buffer: Uint8Array): Promise<number>;
  /** What was opened, whatever its path leads to by now. */
  stat(): Promise<FileStat>;
  close(): void;
}

export interface FileStat {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly mtime: number;
  /** Tells the file from every other one together with `inode`. */
  readonly device: number;
  readonly inode: number;
  readonly links: number;
}

/** The part of the file system that changes nothing: all that readers of runs get. */
export interface ReadFs {
  /** `undefined` when nothing is there. Follows links. */
  stat(path: string): Promise<FileStat | undefined>;
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  readText(path: string): Promise<string>;
  /** From byte `start` (default 0), up to `end` exclusive. */
  readStream(path: string, start?: number, end?: number): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * The same in one buffer that is used for every chunk: what must outlive the next chunk is copied. Reading
   * large files so leaves no garbage behind.
   */
  readChunks(path: string, start?: number, end?: number): AsyncIterable<Uint8Array<ArrayBuffer>>;
  openRead(path: string): Promise<FileReader>;
  /** The path without links. Throws when nothing is there. */
  realPath(path: string): Promise<string>;
  /** Names in a folder, sorted. Empty when the folder does not exist. */
  list(path: string): Promise<string[]>;
  /**
   * Calls back when a file or folder may have changed, until the returned function is called. Only a hint:
   * network mounts say nothing, so poll too.
   */
  watch(path: string, onChange: () => void): () => void;
  /** Whether some process holds the lock. Never creates the file. */
  isLocked(path: string): Promise<boolean>;
}
