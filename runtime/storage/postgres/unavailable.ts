import { LexidexError } from '../../core/errors.ts'

/** A batch was not applied for a reason that lies outside of it, and may be sent again. */
export class WriterUnavailable extends LexidexError {
  constructor(message: string) {
    super(message, { hint: 'Apply the batch again.' })
    this.name = 'WriterUnavailable'
  }
}
