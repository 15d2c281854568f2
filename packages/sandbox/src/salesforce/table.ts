/**
 * The records of one sObject. A record is kept as one text of field numbers and values, so that a million of them
 * are some hundred megabytes; fields that records are found by have an index.
 */
import type { FieldSpec, Value } from "./fields.ts"
import { idOf } from "./ids.ts"
import type { ObjectSpec } from "./objects.ts"

/** Values by the place of their field; a hole is null. */
export type Row = Array<Value | undefined>

export interface Place {
  readonly place: number
  readonly field: FieldSpec
}

/** Unique fields may tell "abc" from "ABC"; everything else is found whatever the case. */
const normal = (field: FieldSpec, value: string): string => (field.caseSensitive ? value : value.toLowerCase())

const isIndexed = ({ name, type, idLookup, externalId }: FieldSpec): boolean =>
  type !== "id" && (idLookup || externalId || name === "Phone" || name === "AccountId")

/** Where the fields are that every object has. */
export interface SystemPlaces {
  readonly id: number
  readonly deleted: number
  readonly created: number
  readonly creator: number
  readonly modified: number
  readonly modifier: number
  readonly stamp: number
  readonly owner: number
}

export class Table {
  readonly spec: ObjectSpec
  /** Of fields that no two records may share, and of those that a record must have. */
  readonly unique: ReadonlyArray<Place>
  readonly required: ReadonlyArray<Place>
  /** What a new record has. */
  readonly initial: Readonly<Row>
  readonly system: SystemPlaces
  readonly #places = new Map<string, Place>()
  readonly #indexes: ReadonlyArray<Place & { readonly found: Map<string, number | Array<number>> }>
  #packed: Array<string> = []
  /** Undoes what was written since `mark`, newest last. */
  readonly #undo: Array<() => void>

  constructor(spec: ObjectSpec, undo: Array<() => void>) {
    this.spec = spec
    this.#undo = undo
    for (const [place, field] of spec.fields.entries()) this.#places.set(field.name.toLowerCase(), { place, field })
    const places = [...this.#places.values()]
    this.unique = places.filter(({ field }) => field.unique)
    this.required = places.filter(({ field }) => field.createable && !field.nillable)
    this.initial = spec.fields.map(({ initial }) => initial)
    this.system = {
      id: this.placeOf("Id"),
      deleted: this.placeOf("IsDeleted"),
      created: this.placeOf("CreatedDate"),
      creator: this.placeOf("CreatedById"),
      modified: this.placeOf("LastModifiedDate"),
      modifier: this.placeOf("LastModifiedById"),
      stamp: this.placeOf("SystemModstamp"),
      owner: this.placeOf("OwnerId"),
    }
    this.#indexes = places.filter(({ field }) => isIndexed(field)).map((each) => ({ ...each, found: new Map() }))
  }

  /** Names are compared without their case, as everywhere in Salesforce. */
  find(name: string): Place | undefined {
    return this.#places.get(name.toLowerCase())
  }

  /** Of a field that every object has or that the caller has found. */
  placeOf(name: string): number {
    return this.find(name)?.place ?? -1
  }

  idOf(number: number): string {
    return idOf(this.spec.prefix, number)
  }

  /** Records ever made, the deleted among them. */
  get size(): number {
    return this.#packed.length
  }

  read(number: number): Row | undefined {
    const packed = this.#packed[number]
    if (packed === undefined) return undefined
    const row: Row = []
    const pairs: ReadonlyArray<Value> = JSON.parse(packed)
    for (let at = 0; at < pairs.length; at += 2) {
      const place = pairs[at]
      if (typeof place === "number") row[place] = pairs[at + 1]
    }
    row[this.system.id] = this.idOf(number)
    return row
  }

  isDeleted(row: Row): boolean {
    return row[this.system.deleted] === true
  }

  insert(row: Row): number {
    const number = this.#packed.length
    this.#packed.push(this.#pack(row))
    this.#index(number, undefined, row)
    this.#undo.push(() => {
      this.#index(number, row, undefined)
      this.#packed.pop()
    })
    return number
  }

  write(number: number, before: Row, after: Row): void {
    const packed = this.#packed[number]
    if (packed === undefined) return
    this.#packed[number] = this.#pack(after)
    this.#index(number, before, after)
    this.#undo.push(() => {
      this.#packed[number] = packed
      this.#index(number, after, before)
    })
  }

  /** Numbers of the records whose field has this text; `undefined`: the field has no index. */
  lookUp(place: number, value: string): ReadonlyArray<number> | undefined {
    const index = this.#indexes.find((each) => each.place === place)
    if (index === undefined) return undefined
    const found = index.found.get(normal(index.field, value))
    return found === undefined ? [] : typeof found === "number" ? [found] : found
  }

  #pack(row: Row): string {
    const pairs: Array<Value> = []
    for (let place = 0; place < row.length; place++) {
      const value = row[place]
      if (value !== undefined && value !== null && place !== this.system.id) pairs.push(place, value)
    }
    return narrow(JSON.stringify(pairs))
  }

  /** What a row is found by: its text there, unless the record is deleted. */
  #entry(row: Row | undefined, place: number, field: FieldSpec): string | undefined {
    const value = row === undefined || this.isDeleted(row) ? undefined : row[place]
    return value === undefined || value === null ? undefined : normal(field, String(value))
  }

  #index(number: number, before: Row | undefined, after: Row | undefined): void {
    for (const { place, field, found } of this.#indexes) {
      const [old, next] = [this.#entry(before, place, field), this.#entry(after, place, field)]
      if (old === next) continue
      if (old !== undefined) drop(found, old, number)
      if (next !== undefined) put(found, next, number)
    }
  }
}

/** A letter beyond Latin-1 would make every letter of a record's text take two bytes. */
const narrow = (text: string): string => {
  const escaped = text.replace(
    /[\u0100-\uffff]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
  return escaped === text ? text : Buffer.from(escaped, "latin1").toString("latin1")
}

/** A key is a piece of a line, and would keep the whole of it. */
const copied = (key: string): string => Buffer.from(key, "utf8").toString("utf8")

const put = (found: Map<string, number | Array<number>>, key: string, number: number): void => {
  const known = found.get(key)
  if (known === undefined) found.set(copied(key), number)
  else if (typeof known === "number") found.set(key, [known, number])
  else known.push(number)
}

const drop = (found: Map<string, number | Array<number>>, key: string, number: number): void => {
  const known = found.get(key)
  if (known === number) found.delete(key)
  else if (Array.isArray(known)) {
    const place = known.indexOf(number)
    if (place >= 0) known.splice(place, 1)
    if (known.length === 0) found.delete(key)
  }
}
