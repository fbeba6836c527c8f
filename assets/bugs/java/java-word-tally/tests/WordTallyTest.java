import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class WordTallyTest {
    @Test
    public void countsOneWord() {
        WordTally tally = new WordTally();
        tally.add("Hello");
        assertEquals(1, tally.count("hello"));
        assertEquals(0, tally.count("bye"));
    }

    @Test
    public void countsRepeats() {
        WordTally tally = new WordTally();
        tally.add("to be, or not to be: to!");
        assertEquals(3, tally.count("to"));
        assertEquals(2, tally.count("be"));
        assertEquals(1, tally.count("or"));
    }

    @Test
    public void addsUpOverTexts() {
        WordTally tally = new WordTally();
        tally.add("one two");
        tally.add("Two");
        assertEquals(2, tally.count("TWO"));
    }

    @Test
    public void distinctWords() {
        WordTally tally = new WordTally();
        tally.add("a b a c A");
        assertEquals(3, tally.distinct());
    }

    @Test
    public void nothingToCount() {
        WordTally tally = new WordTally();
        tally.add(" ... ");
        assertEquals(0, tally.distinct());
    }
}
