import writer from '../../plugins/mysql/writer.ts';
import { mortal } from './mortal.ts';

export default mortal(writer);
