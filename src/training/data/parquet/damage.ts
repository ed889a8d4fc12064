/** What stops the reading of a Parquet file; it becomes a FileFormatError once the file's name is known. */

/** Bytes that cannot be right: "a page claims 5 values and has 3". */
export class Damage extends Error {}

/** Bytes that may be right, of a kind that is not read: "it is packed with LZO". */
export class Unread extends Error {}
