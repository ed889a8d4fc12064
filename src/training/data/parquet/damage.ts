/** Errors that stop the reading of a Parquet file; they become a FileFormatError where the file's name is known. */

/** Bytes that cannot be right: "a page claims 5 values and has 3". */
export class Damage extends Error {}

/** Bytes that may be right, but of an unsupported kind: "it is packed with LZO". */
export class Unread extends Error {}
