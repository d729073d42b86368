package sqlast

// Fn is a function by its meaning. The list is closed: every dialect has a
// spelling for each, or says that it has none.
type Fn int

// The functions. X, Y are arguments in order; all of them give NULL where an
// argument is NULL, unless said otherwise.
const (
	Coalesce          Fn = iota // the first that is not NULL
	NullIf                      // NULL where X = Y, else X
	Least                       // NULL arguments are passed over in DuckDB: do not rely on it
	Greatest                    //
	LowerASCII                  // A-Z to a-z, all else as it is
	UpperASCII                  // a-z to A-Z, all else as it is
	TrimUnicode                 // Unicode blanks at both ends removed
	Length                      // code points
	JoinTexts                   // texts one after the other; none is NULL
	Contains                    // X contains the text Y
	StartsWith                  //
	EndsWith                    //
	RegexMatch                  // the RE2 pattern Y matches somewhere in X
	Abs                         //
	Ceil                        //
	Sqrt                        // of a double that is not negative
	Floor                       //
	Round                       // to a whole number, half away from zero; a double
	Trunc                       // towards zero; a double
	Mod                         // remainder of doubles with the sign of the dividend
	Finite                      // the double X, or NULL where it is NaN or infinite
	IntegerText                 // the plain decimal of a whole double below 2^53 in size; else NULL
	FloatText                   // the plain decimal of a finite floating number, with the fewest digits that tell it from others
	TimeText                    // a timestamp as RFC 3339 text in UTC, without trailing zeros of the second
	Unscaled                    // the digits of a DECIMAL of any width as a whole number, a HUGEINT
	ParseNumber                 // text to double by the grammar of number(); else NULL
	ParseInteger                // text of an optional sign and digits to double; else NULL
	ParseBoolean                // true or false in any case; else NULL
	ParseTime                   // text of a date, or of a date and a time with or without a zone (docs/semantics.md, 1); else NULL
	MicrosToTime                // microseconds since 1970 to a timestamp
	TimeToMicros                // a timestamp to microseconds since 1970
	TimestampTZToTime           // a timestamp with time zone to the timestamp in UTC
	NanosToTime                 // a timestamp with nanoseconds, floored to microseconds
	DateOf                      // the date of a timestamp
	ParseDay                    // the date of 2026-03-02, 20260302, or with an hour, 2026-03-02-05; else NULL
	MapValue                    // the value of key Y in the map X, NULL where it is not there
	PairValue                   // the value of the first {name, value} with name Y in the list X
	KeyPairs                    // the list X of {key, value} as one of {name, value}
	Parameters                  // the list X of {key, value: {string_value, int_value, …}} of Google Analytics as one of {name, value} with texts
	JSONText                    // the text of what the keys Y… lead to in the JSON X, without keys of X itself (strings unquoted, null and malformed NULL)
	JSONTexts                   // a list of what JSONText gives for each of the literal JSON pointers Y… in the JSON X, which is read once
	JSONKinds                   // the same of JSONKind
	JSONKind                    // what the keys Y… lead to in the JSON X, as the engine names it; NULL where nothing is there
	JSONPairs                   // the JSON X, a list of {name, value}, {key, value} or of parameters {key, value: {string_value, int_value, …}}, as a list of {name, value} with texts; also where an object has it as key_value; any other object as its members
	JSONElements                // the elements of the JSON list X as a list, X alone in one where it is no list
	ListLength                  // how many entries the list X has
	ListElement                 // the entry of the list X at the place Y, from 1 on
	ListElements                // the list X, a list of one NULL where it is NULL
	JSONValid                   // whether X is well-formed JSON
	CanonicalJSON               // X as canonical JSON text
	UUID5                       // the version 5 UUID of the name Y in the namespace X, both as 32 hexadecimal digits, in upper case
	Hash                        // a 64-bit hash, the same in every run
	RowID                       // the dense row number of the temporary table with alias X (a Column with Table only)
	UniqueText                  // a text that no other row has, another in every run
	DistinctInLists             // the number of distinct values in the lists of the list X
	JoinLists                   // the entries of the lists of the list X, as one list
	Unnest                      // a row for each entry of the list X
	MapNames                    // the keys of the map X
	MapEntries                  // the entries of the map X, as a list of {key, value}
	PresentEntries              // the entries of the list X whose value is not missing, in order
	PairNames                   // the names of the list X of {name, value}
	AllNamed                    // whether each entry of the JSON list X has a name or key, be it null
	JSONNames                   // the keys of the JSON object X
	numFns
)

var fnNames = [numFns]string{
	Coalesce:          "Coalesce",
	NullIf:            "NullIf",
	Least:             "Least",
	Greatest:          "Greatest",
	LowerASCII:        "LowerASCII",
	UpperASCII:        "UpperASCII",
	TrimUnicode:       "TrimUnicode",
	Length:            "Length",
	JoinTexts:         "JoinTexts",
	Contains:          "Contains",
	StartsWith:        "StartsWith",
	EndsWith:          "EndsWith",
	RegexMatch:        "RegexMatch",
	Abs:               "Abs",
	Ceil:              "Ceil",
	Sqrt:              "Sqrt",
	Floor:             "Floor",
	Round:             "Round",
	Trunc:             "Trunc",
	Mod:               "Mod",
	Finite:            "Finite",
	IntegerText:       "IntegerText",
	FloatText:         "FloatText",
	TimeText:          "TimeText",
	Unscaled:          "Unscaled",
	ParseNumber:       "ParseNumber",
	ParseInteger:      "ParseInteger",
	ParseBoolean:      "ParseBoolean",
	ParseTime:         "ParseTime",
	MicrosToTime:      "MicrosToTime",
	TimeToMicros:      "TimeToMicros",
	TimestampTZToTime: "TimestampTZToTime",
	NanosToTime:       "NanosToTime",
	DateOf:            "DateOf",
	ParseDay:          "ParseDay",
	MapValue:          "MapValue",
	PairValue:         "PairValue",
	KeyPairs:          "KeyPairs",
	Parameters:        "Parameters",
	JSONText:          "JSONText",
	JSONTexts:         "JSONTexts",
	JSONKinds:         "JSONKinds",
	JSONKind:          "JSONKind",
	JSONPairs:         "JSONPairs",
	JSONElements:      "JSONElements",
	ListLength:        "ListLength",
	ListElement:       "ListElement",
	ListElements:      "ListElements",
	JSONValid:         "JSONValid",
	CanonicalJSON:     "CanonicalJSON",
	UUID5:             "UUID5",
	Hash:              "Hash",
	RowID:             "RowID",
	UniqueText:        "UniqueText",
	DistinctInLists:   "DistinctInLists",
	JoinLists:         "JoinLists",
	Unnest:            "Unnest",
	MapNames:          "MapNames",
	MapEntries:        "MapEntries",
	PresentEntries:    "PresentEntries",
	PairNames:         "PairNames",
	AllNamed:          "AllNamed",
	JSONNames:         "JSONNames",
}

// String gives the name of the function as it stands in this package.
func (f Fn) String() string {
	if f < 0 || f >= numFns {
		panic("sqlast: no such function")
	}
	return fnNames[f]
}
